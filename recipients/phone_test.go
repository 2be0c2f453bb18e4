package recipients_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"

	"rappel/recipients"
)

func TestPhonesAreReadAsTheirRegionWritesThem(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ raw, region, want string }{
		"US, as on a form":                         {"(201) 555-0123", "US", "+12015550123"},
		"US, with dots":                            {"201.555.0123", "US", "+12015550123"},
		"US, with the trunk one":                   {"1 201 555 0123", "US", "+12015550123"},
		"US, bare digits":                          {"2015550123", "US", "+12015550123"},
		"US, calling abroad":                       {"011 44 7400 123456", "US", "+447400123456"},
		"GB, with the trunk zero":                  {"07400 123456", "GB", "+447400123456"},
		"GB, with the zero in brackets":            {"+44 (0)7400 123456", "GB", "+447400123456"},
		"GB, a landline of London":                 {"020 7946 0958", "GB", "+442079460958"},
		"DE, a mobile":                             {"0151 23456789", "DE", "+4915123456789"},
		"DE, with the slash of old letterheads":    {"0151/23456789", "DE", "+4915123456789"},
		"DE, with two zeros for abroad":            {"0049 151 23456789", "DE", "+4915123456789"},
		"FR, in pairs":                             {"06 12 34 56 78", "FR", "+33612345678"},
		"FR, in pairs with dots":                   {"06.12.34.56.78", "FR", "+33612345678"},
		"ES, which has no trunk digit":             {"612 34 56 78", "ES", "+34612345678"},
		"AU, a mobile":                             {"0412 345 678", "AU", "+61412345678"},
		"AU, a landline":                           {"(02) 5550 1234", "AU", "+61255501234"},
		"AU, calling abroad":                       {"0011 1 201 555 0123", "AU", "+12015550123"},
		"IT keeps its zero":                        {"06 698 12345", "IT", "+390669812345"},
		"a plus sign outweighs the region":         {"+1 201 555 0123", "DE", "+12015550123"},
		"an empty region is the US":                {"(201) 555-0123", "", "+12015550123"},
		"an unknown region is the US":              {"(201) 555-0123", "XX", "+12015550123"},
		"a region in lower case and blanks":        {"07400 123456", " gb ", "+447400123456"},
		"a number that no plan knows yet":          {"+1 555 123 4567", "US", "+15551234567"},
		"a note after the number":                  {"201 555 0123 (mom)", "US", "+12015550123"},
		"a word before the number":                 {"call: 201 555 0123", "US", "+12015550123"},
		"a link":                                   {"tel:+1-201-555-0123", "US", "+12015550123"},
		"invisible marks from somebody's contacts": {"\u202a+1 (201) 555‑0123\u202c", "US", "+12015550123"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, err := recipients.ParsePhone(test.raw, test.region)
			if err != nil {
				t.Fatal(err)
			}
			if got := a.Reveal(); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestPhonesThatAreRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ raw, region string }{
		"nothing":                        {"", "US"},
		"blanks":                         {"   ", "US"},
		"words":                          {"ask the mother", "US"},
		"an e-mail":                      {"ana@example.com", "US"},
		"an emergency number":            {"911", "US"},
		"too few digits":                 {"201 555 01", "US"},
		"too many digits":                {"201 555 0123 4567", "US"},
		"a number without its area code": {"555-0123", "US"},
		"a short one which letters would complete":          {"555-0123 Mom", "US"},
		"letters among the digits":                          {"1-800-FL0WERS", "US"},
		"letters for digits":                                {"1-800-FLOWERS", "US"},
		"an extension, where a switchboard answers":         {"(201) 555-0123 ext. 5", "US"},
		"an extension in a link":                            {"tel:+1-201-555-0123;ext=12", "US"},
		"a trunk zero twice, which reads as another number": {"0000000000", "BA"},
		"two numbers":                                       {"201 555 0123, 201 555 0124", "US"},
		"another country's spelling":                        {"07400 123456", "US"},
		"a country code that does not exist":                {"+999 201 555 0123", "US"},
		"fewer digits than an opt-out is found with":        {"22158", "SH"},
		"digits that no opt-out would be found with":        {"２０１５５５０１２３", "US"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, err := recipients.ParsePhone(test.raw, test.region)
			if err == nil {
				t.Fatalf("read as %s", a.Reveal())
			}
			if a != (recipients.Address{}) {
				t.Errorf("an address beside the error: %s", a.Reveal())
			}
			if test.raw != "" && strings.Contains(err.Error(), test.raw) {
				t.Errorf("the error shows the number: %v", err)
			}
		})
	}
}

// What is read by its form alone has to read as it would by the metadata.
func TestNorthAmericanNumbersAreReadAsTheMetadataReadThem(t *testing.T) {
	t.Parallel()
	for area := range 1000 {
		for _, rest := range []string{"0000000", "1015550", "5550123", "9999999", "911", "55501234", "555-012", "555 012", "55a0123", "5550１"} {
			raw := fmt.Sprintf("+1%03d%s", area, rest)
			n, err := phonenumbers.Parse(raw, "US")
			same := err == nil && phonenumbers.Format(n, phonenumbers.E164) == raw &&
				phonenumbers.IsPossibleNumberWithReason(n) == phonenumbers.IS_POSSIBLE
			if a, err := recipients.ParsePhone(raw, "US"); same != (err == nil && a.Reveal() == raw) {
				t.Errorf("%s: read as %q, %v; the metadata take it: %t", raw, a.Reveal(), err, same)
			}
		}
	}
}

func FuzzParsePhone(f *testing.F) {
	f.Add("(201) 555-0123", "US")
	f.Add("+44 (0)7400 123456", "GB")
	f.Add("tel:201-555-0123;phone-context=+1", "US")
	f.Add("+6834002", "NU")
	f.Add("0000000000", "US")
	f.Fuzz(func(t *testing.T, raw, region string) {
		a, err := recipients.ParsePhone(raw, region)
		if err != nil {
			return
		}
		if again, err := recipients.ParsePhone(a.Reveal(), region); err != nil || again != a {
			t.Errorf("%q: %q reads as %q, %v", raw, a.Reveal(), again.Reveal(), err)
		}
		checkParsed(t, recipients.SMS, raw, a)
	})
}

// checkParsed holds for whatever a parser accepted.
func checkParsed(t *testing.T, c recipients.Channel, raw string, a recipients.Address) {
	t.Helper()
	if strings.Contains(a.String(), a.Reveal()) {
		t.Errorf("%q: the mask %q shows it", a.Reveal(), a)
	}
	key := recipients.MatchKey(c, raw)
	if key == "" || key != recipients.MatchKey(c, a.Reveal()) {
		t.Errorf("%q: an opt-out of %q would not be found under %q", raw, a.Reveal(), key)
	}
}
