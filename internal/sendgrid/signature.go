package sendgrid

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/sendgrid/sendgrid-go/helpers/eventwebhook"
)

// Where SendGrid puts the signature of a webhook, and the time of it.
const (
	SignatureHeader = eventwebhook.VerificationHTTPHeader
	TimestampHeader = eventwebhook.TimestampHTTPHeader
)

// What is wrong with a webhook's signature or with the key for it.
var (
	ErrKey       = errors.New("SendGrid's public key is not an ECDSA key in base64")
	ErrSignature = errors.New("not signed by SendGrid")
	ErrTimestamp = errors.New("the timestamp is missing, expired or in the future")
)

// How far a signature's time may be from ours. SendGrid repeats an event for 24
// hours, and does not say whether it signs it anew. The library has no limit:
// what was signed once would be good for ever.
const (
	clockSkew = 10 * time.Minute
	oldest    = 24*time.Hour + clockSkew
)

// ParsePublicKey reads the verification key that SendGrid shows. The library
// panics on a key of another type.
func ParsePublicKey(s string) (*ecdsa.PublicKey, error) {
	der, err := base64.StdEncoding.DecodeString(strings.TrimSpace(s))
	if err != nil {
		return nil, ErrKey
	}
	parsed, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, ErrKey
	}
	key, ok := parsed.(*ecdsa.PublicKey)
	if !ok {
		return nil, ErrKey
	}
	return key, nil
}

// CheckSignature tells whether SendGrid signed body, and lately. A repeat of
// what it told within the window passes: events are harmless when doubled.
// Source: "Getting Started with the Event Webhook Security Features".
func CheckSignature(key *ecdsa.PublicKey, body []byte, signature, timestamp string, now time.Time) error {
	if key == nil {
		return ErrKey
	}
	at, err := parseTimestamp(timestamp)
	if err != nil || now.Sub(at) > oldest || at.Sub(now) > clockSkew {
		return ErrTimestamp
	}
	if ok, err := eventwebhook.VerifySignature(key, body, signature, timestamp); err != nil || !ok {
		return ErrSignature
	}
	return nil
}

// parseTimestamp reads seconds since 1970 in their one form of ten digits: what
// is signed is the text, and two texts must not mean one time.
func parseTimestamp(s string) (time.Time, error) {
	if len(s) != 10 || strings.Trim(s, "0123456789") != "" {
		return time.Time{}, ErrTimestamp
	}
	unix, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return time.Time{}, ErrTimestamp
	}
	return time.Unix(unix, 0), nil
}
