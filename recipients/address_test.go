package recipients_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"rappel/recipients"
)

func TestAddressesAreMasked(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		address recipients.Address
		want    string
	}{
		"a phone shows its last digits":          {phone(t, "+12015550123"), "+1•••0123"},
		"a short phone shows fewer":              {phone(t, "+29022158"), "+2•••8"},
		"a very short phone shows none":          {phone(t, "+6834002"), "+6•••"},
		"an e-mail shows one letter":             {email(t, "ana@example.com"), "a•••@example.com"},
		"an e-mail in another script":            {email(t, "éva@example.com"), "é•••@example.com"},
		"an e-mail of one letter shows not that": {email(t, "a@example.com"), "•••@example.com"},
		"no address shows nothing":               {recipients.Address{}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := test.address.String(); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// An envelope carries an address in every way that a printer treats apart.
type envelope struct {
	To      recipients.Address
	Pointer *recipients.Address
	Many    []recipients.Address
	ByName  map[string]recipients.Address
	Any     any
	private recipients.Address
}

func TestNothingPrintsAnAddress(t *testing.T) {
	t.Parallel()
	a := email(t, "ana.lee@example.com")
	e := envelope{a, &a, []recipients.Address{a}, map[string]recipients.Address{"x": a}, a, a}
	tests := map[string]func() string{
		"json":        func() string { return string(marshal(t, e)) },
		"json key":    func() string { return string(marshal(t, map[recipients.Address]int{a: 1})) },
		"slog json":   func() string { return logged(jsonHandler, "to", a, "envelope", e) },
		"slog text":   func() string { return logged(textHandler, "to", a, "envelope", e) },
		"print":       func() string { return fmt.Sprint(a, e, &e) },
		"an error":    func() string { return fmt.Errorf("send to %v: %w", a, errors.ErrUnsupported).Error() },
		"GoString":    a.GoString,
		"MarshalText": func() string { return text(t, a) },
	}
	for _, verb := range "bcdeEfFgGoOpqstTUvxX" {
		for _, flag := range []string{"", "+", "#", "-40"} {
			format := "%" + flag + string(verb)
			tests[format] = func() string { return fmt.Sprintf(format+format+format, a, e, &e) }
		}
	}
	for name, print := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := print()
			for _, secret := range []string{"ana.lee", fmt.Sprintf("%x", "ana.lee"), fmt.Sprintf("%X", "ana.lee")} {
				if strings.Contains(got, secret) {
					t.Errorf("leaks: %s", got)
				}
			}
		})
	}
}

func TestMasksCanBeRead(t *testing.T) {
	t.Parallel()
	a := email(t, "ana@example.com")
	const mask = "a•••@example.com"
	tests := map[string]string{
		"%v":        fmt.Sprintf("%v", a),
		"%+v":       fmt.Sprintf("%+v", a),
		"%#v":       fmt.Sprintf("%#v", a),
		"%s":        fmt.Sprintf("%s", []recipients.Address{a}),
		"json":      string(marshal(t, a)),
		"slog json": logged(jsonHandler, "to", a),
		"slog text": logged(textHandler, "to", a),
	}
	for name, got := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(got, mask) {
				t.Errorf("got %s, want %s in it", got, mask)
			}
		})
	}
}

func TestSameAddress(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		a, b        recipients.Address
		equal, same bool
	}{
		"one phone in two spellings":      {phone(t, "(201) 555-0123"), phone(t, "+1 201 555 0123"), true, true},
		"two phones":                      {phone(t, "+12015550123"), phone(t, "+12015550124"), false, false},
		"one e-mail in two domains' case": {email(t, "ana@example.com"), email(t, "ana@EXAMPLE.com"), true, true},
		"one e-mail in two cases":         {email(t, "ana@example.com"), email(t, "Ana@example.com"), false, true},
		"two e-mails":                     {email(t, "ana@example.com"), email(t, "ana@example.org"), false, false},
		"no address and one":              {recipients.Address{}, email(t, "ana@example.com"), false, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := test.a == test.b; got != test.equal {
				t.Errorf("==: got %t, want %t", got, test.equal)
			}
			if got := test.a.Same(test.b); got != test.same {
				t.Errorf("Same: got %t, want %t", got, test.same)
			}
		})
	}
}

func TestParseAddressGoesByChannel(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		channel recipients.Channel
		raw     string
		want    error
	}{
		"a phone by sms":      {recipients.SMS, "07400 123456", nil},
		"an e-mail by e-mail": {recipients.Email, "ana@example.com", nil},
		"an e-mail by sms":    {recipients.SMS, "ana@example.com", recipients.ErrNotPhone},
		"a phone by e-mail":   {recipients.Email, "07400 123456", recipients.ErrNotEmail},
		"a phone by fax":      {"fax", "07400 123456", recipients.ErrNotChannel},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := recipients.ParseAddress(test.channel, test.raw, "GB"); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

func phone(t *testing.T, raw string) recipients.Address {
	t.Helper()
	a, err := recipients.ParsePhone(raw, "US")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func email(t *testing.T, raw string) recipients.Address {
	t.Helper()
	a, err := recipients.ParseEmail(raw)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func text(t *testing.T, a recipients.Address) string {
	t.Helper()
	data, err := a.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func jsonHandler(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) }

func textHandler(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) }

func logged(handler func(*bytes.Buffer) slog.Handler, args ...any) string {
	var b bytes.Buffer
	slog.New(handler(&b)).Info("sent", args...)
	return b.String()
}
