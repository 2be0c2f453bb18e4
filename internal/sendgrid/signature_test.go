package sendgrid_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"rappel/internal/sendgrid"
)

// The example of SendGrid's own, which its libraries' tests have.
const (
	theirKey       = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=="
	theirSignature = "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM="
	theirTimestamp = "1600112502"
	theirBody      = `[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address","sg_event_id":"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",` +
		`"sg_message_id":"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",` +
		`"smtp-id":"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]` + "\r\n"
)

func publicKey(t *testing.T, s string) *ecdsa.PublicKey {
	t.Helper()
	k, err := sendgrid.ParsePublicKey(s)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// a signer signs as SendGrid does: ECDSA over SHA-256 of the time and the body.
type signer struct{ key *ecdsa.PrivateKey }

func newSigner(t *testing.T) signer {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signer{k}
}

func (s signer) sign(t *testing.T, timestamp, body string) string {
	t.Helper()
	sum := sha256.Sum256([]byte(timestamp + body))
	der, err := ecdsa.SignASN1(rand.Reader, s.key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

func TestASignatureOfSendGridsOwnExample(t *testing.T) {
	t.Parallel()
	at := time.Unix(1600112502, 0)
	k := publicKey(t, theirKey)
	if err := sendgrid.CheckSignature(k, []byte(theirBody), theirSignature, theirTimestamp, at); err != nil {
		t.Error(err)
	}
	for name, c := range map[string]struct{ body, signature, timestamp string }{
		"another body":            {theirBody + " ", theirSignature, theirTimestamp},
		"a body without its end":  {theirBody[:len(theirBody)-2], theirSignature, theirTimestamp},
		"another time":            {theirBody, theirSignature, "1600112503"},
		"time and body displaced": {"2" + theirBody, theirSignature, "1600112500"},
		"another signature":       {theirBody, "MEQ" + theirSignature[3:], theirTimestamp},
		"a signature cut short":   {theirBody, theirSignature[:20], theirTimestamp},
		"not base64":              {theirBody, "***", theirTimestamp},
		"no signature":            {theirBody, "", theirTimestamp},
		"a signature of nothing":  {theirBody, "MAYCAQACAQA=", theirTimestamp},
		"an empty sequence":       {theirBody, "MAA=", theirTimestamp},
	} {
		if err := sendgrid.CheckSignature(k, []byte(c.body), c.signature, c.timestamp, at); !errors.Is(err, sendgrid.ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := sendgrid.CheckSignature(&newSigner(t).key.PublicKey, []byte(theirBody), theirSignature, theirTimestamp, at); !errors.Is(err, sendgrid.ErrSignature) {
		t.Errorf("another key: %v", err)
	}
	if err := sendgrid.CheckSignature(nil, []byte(theirBody), theirSignature, theirTimestamp, at); !errors.Is(err, sendgrid.ErrKey) {
		t.Errorf("no key: %v", err)
	}
}

func TestASignatureIsGoodForAsLongAsSendGridRepeatsIt(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	for name, c := range map[string]struct {
		after time.Duration
		want  error
	}{
		"at once":                     {0, nil},
		"ten minutes ago":             {10 * time.Minute, nil},
		"an hour ago":                 {time.Hour, nil},
		"a day ago":                   {24 * time.Hour, nil},
		"by a clock behind as well":   {24*time.Hour + 10*time.Minute, nil},
		"a second more":               {24*time.Hour + 10*time.Minute + time.Second, sendgrid.ErrTimestamp},
		"by a clock ahead":            {-10 * time.Minute, nil},
		"by a clock ahead by a day":   {-24 * time.Hour, sendgrid.ErrTimestamp},
		"a second more ahead":         {-10*time.Minute - time.Second, sendgrid.ErrTimestamp},
		"in the year of the epoch's":  {now().Sub(time.Unix(1_000_000_000, 0)), sendgrid.ErrTimestamp},
		"two hundred years from here": {-200 * 365 * 24 * time.Hour, sendgrid.ErrTimestamp},
	} {
		timestamp := strconv.FormatInt(now().Add(-c.after).Unix(), 10)
		err := sendgrid.CheckSignature(&s.key.PublicKey, []byte("[]"), s.sign(t, timestamp, "[]"), timestamp, now())
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestATimestampHasOneForm(t *testing.T) {
	t.Parallel()
	s, unix := newSigner(t), now().Unix()
	for name, timestamp := range map[string]string{
		"nothing":                 "",
		"a sign":                  fmt.Sprintf("+%d", unix)[:10],
		"a sign and all digits":   fmt.Sprintf("+%d", unix),
		"a zero before":           fmt.Sprintf("0%d", unix),
		"a blank":                 fmt.Sprintf(" %d", unix),
		"a line break":            fmt.Sprintf("%d\n", unix),
		"a fraction":              fmt.Sprintf("%d.0", unix),
		"milliseconds":            fmt.Sprintf("%d000", unix),
		"a date":                  now().Format(time.RFC3339),
		"digits of other scripts": "١٢٣٤٥",
		"hexadecimal":             fmt.Sprintf("0x%x", unix),
		"an exponent":             "1795262e10",
		"a minus":                 "-179526240",
	} {
		err := sendgrid.CheckSignature(&s.key.PublicKey, []byte("[]"), s.sign(t, timestamp, "[]"), timestamp, now())
		if !errors.Is(err, sendgrid.ErrTimestamp) {
			t.Errorf("%s (%q): %v", name, timestamp, err)
		}
	}
}

func TestOnlyAnECDSAKeyIsOne(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	edKey, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]string{
		"RSA":        asBase64(t, &rsaKey.PublicKey),
		"Ed25519":    asBase64(t, edKey),
		"nothing":    "",
		"not base64": "-----BEGIN PUBLIC KEY-----",
		"not a key":  base64.StdEncoding.EncodeToString([]byte("key")),
		"cut short":  theirKey[:40],
	} {
		if k, err := sendgrid.ParsePublicKey(s); !errors.Is(err, sendgrid.ErrKey) || k != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := sendgrid.ParsePublicKey(" " + theirKey + "\n"); err != nil {
		t.Errorf("as copied out: %v", err)
	}
}

func asBase64(t *testing.T, key crypto.PublicKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}
