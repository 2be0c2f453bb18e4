package recipients_test

import (
	"strings"
	"testing"

	"rappel/recipients"
)

func TestEmailsAreRead(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ raw, want string }{
		"as it is":                       {"ana@example.com", "ana@example.com"},
		"blanks around it go":            {" \tana@example.com\r\n", "ana@example.com"},
		"the domain becomes lower case":  {"ana@Example.COM", "ana@example.com"},
		"the local part stays":           {"Ana.Lee@example.com", "Ana.Lee@example.com"},
		"a tag":                          {"ana+practice@example.com", "ana+practice@example.com"},
		"signs that few use":             {"o'neil_{x}@example.com", "o'neil_{x}@example.com"},
		"a subdomain":                    {"ana@mail.example.co.uk", "ana@mail.example.co.uk"},
		"a domain with a hyphen":         {"ana@my-practice.example", "ana@my-practice.example"},
		"a domain of digits and letters": {"ana@163.com", "ana@163.com"},
		"a domain in another script":     {"ana@BÜCHER.example", "ana@bücher.example"},
		"a domain in punycode":           {"ana@xn--bcher-kva.xn--p1ai", "ana@xn--bcher-kva.xn--p1ai"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, err := recipients.ParseEmail(test.raw)
			if err != nil {
				t.Fatal(err)
			}
			if got := a.Reveal(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestEmailsThatAreRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"nothing":                          "",
		"blanks":                           "   ",
		"a word":                           "none",
		"no local part":                    "@example.com",
		"no domain":                        "ana@",
		"a domain without a dot":           "ana@localhost",
		"a domain of one letter":           "a@b",
		"a display name":                   "Ana Lee <ana@example.com>",
		"angle brackets":                   "<ana@example.com>",
		"a comment":                        "ana@example.com (mother)",
		"two addresses":                    "ana@example.com, bob@example.com",
		"two addresses after old habit":    "ana@example.com;bob@example.com",
		"a link":                           "mailto:ana@example.com",
		"a quoted local part":              `"ana lee"@example.com`,
		"a blank inside":                   "ana @example.com",
		"two at signs":                     "ana@@example.com",
		"two dots in the domain":           "ana@example..com",
		"two dots in the local part":       "ana..lee@example.com",
		"a dot at the end":                 "ana@example.com.",
		"a comma for a dot":                "ana@example,com",
		"an underscore in the domain":      "ana@my_practice.com",
		"a hyphen at a label's end":        "ana@example-.com",
		"a hyphen at a label's start":      "ana@-example.com",
		"an IP address":                    "ana@192.168.0.10",
		"an IP address in brackets":        "ana@[192.168.0.1]",
		"a top level of one letter":        "ana@example.c",
		"a label of 64 letters":            "ana@" + strings.Repeat("a", 64) + ".com",
		"more than SMTP carries":           strings.Repeat("a", 243) + "@example.com",
		"an invisible blank":               "ana\u200b@example.com",
		"a blank that does not break":      "ana\u00a0lee@example.com",
		"an invisible blank in the domain": "ana@exam\u200bple.com",
		"a header smuggled in":             "ana@example.com\r\nBcc: bob@example.com",
	}
	for name, raw := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, err := recipients.ParseEmail(raw)
			if err == nil {
				t.Fatalf("read as %q", a.Reveal())
			}
			if a != (recipients.Address{}) {
				t.Errorf("an address beside the error: %q", a.Reveal())
			}
			if raw != "" && strings.Contains(err.Error(), raw) {
				t.Errorf("the error shows the address: %v", err)
			}
		})
	}
}

func TestTheLongestEmailIsRead(t *testing.T) {
	t.Parallel()
	raw := strings.Repeat("a", 242) + "@example.com"
	if _, err := recipients.ParseEmail(raw); err != nil {
		t.Errorf("%d characters: %v", len(raw), err)
	}
}

func FuzzParseEmail(f *testing.F) {
	f.Add("ana@example.com")
	f.Add(" Ana.Lee+x@Example.COM\n")
	f.Add("ana@bücher.example")
	f.Add("İ@example.com")
	f.Add(`"ana lee"@example.com`)
	f.Fuzz(func(t *testing.T, raw string) {
		a, err := recipients.ParseEmail(raw)
		if err != nil {
			return
		}
		if again, err := recipients.ParseEmail(a.Reveal()); err != nil || again != a {
			t.Errorf("%q: %q reads as %q, %v", raw, a.Reveal(), again.Reveal(), err)
		}
		checkParsed(t, recipients.Email, raw, a)
	})
}
