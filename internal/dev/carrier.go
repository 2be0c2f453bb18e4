package dev

import (
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// A Carrier stands in for the one that brings what people write: it posts their
// texts to rappel's webhook, signed as Twilio signs, and by no other way.
type Carrier struct {
	InboundURL string // rappel's webhook, as rappel itself knows it
	AuthToken  string // signs what is posted
}

// bringWithin is how long rappel may take to keep a text.
const bringWithin = 10 * time.Second

// Bring brings a text from one number to another. When it returns nil, rappel
// has kept it.
func (c Carrier) Bring(ctx context.Context, from, to, text string) error {
	if c.InboundURL == "" {
		return errors.New("no carrier brings what people write")
	}
	ctx, cancel := context.WithTimeout(ctx, bringWithin)
	defer cancel()
	form := url.Values{"MessageSid": {newMessageSID()}, "From": {from}, "To": {to}, "Body": {text}, "NumMedia": {"0"}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.InboundURL, strings.NewReader(form.Encode()))
	if err != nil {
		return fmt.Errorf("bring an SMS: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("X-Twilio-Signature", c.sign(form))
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return fmt.Errorf("bring an SMS: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		why, _ := io.ReadAll(io.LimitReader(res.Body, 200)) // it is only to explain the status
		return fmt.Errorf("the webhook answered %d: %s", res.StatusCode, strings.TrimSpace(string(why)))
	}
	return nil
}

// sign is Twilio's signature of a form: its URL, then each name with its value
// in the order of the names. SHA-1 is Twilio's choice; net/http links it.
func (c Carrier) sign(form url.Values) string {
	mac := hmac.New(crypto.SHA1.New, []byte(c.AuthToken))
	mac.Write([]byte(c.InboundURL))
	for _, name := range slices.Sorted(maps.Keys(form)) {
		mac.Write([]byte(name + form.Get(name)))
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// newMessageSID is Twilio's kind of name for a message.
func newMessageSID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // it never fails
	return "SM" + hex.EncodeToString(id[:])
}
