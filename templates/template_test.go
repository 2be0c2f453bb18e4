package templates_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rappel/templates"
)

func TestText(t *testing.T) {
	t.Parallel()
	v := visit(t).Values("en")
	tests := map[string]struct{ template, want string }{
		"a placeholder is its value":                        {"Hi [RecipientFirstName]!", "Hi Ana!"},
		"case does not matter":                              {"[RECIPIENTFIRSTNAME] [clientfirstname]", "Ana Mia"},
		"words with blanks are plain text":                  {"Please [bring your card].", "Please [bring your card]."},
		"other characters are plain text":                   {"[a-b] [1] [] [x_y] [!]", "[a-b] [1] [] [x_y] [!]"},
		"a double bracket is one":                           {"[[ClientName] is [ClientName]", "[ClientName] is Mia Lee"},
		"four brackets are two":                             {"[[[[x", "[[x"},
		"three brackets are one and a placeholder":          {"[[[ClientName]]", "[Mia Lee]"},
		"a double bracket inside plain text is one":         {"[see [[1] below]", "[see [1] below]"},
		"a bracket never closed is text":                    {"open [ClientName", "open [ClientName"},
		"a bracket before another is text":                  {"[by [ClientName]]", "[by Mia Lee]"},
		"a closing bracket is text":                         {"a] b", "a] b"},
		"a default is not used where there is a value":      {"[ClientName|you]", "Mia Lee"},
		"a default is used where there is none":             {"[TelehealthLink|see you]", "see you"},
		"a default may be empty":                            {"a[TelehealthLink|]b", "ab"},
		"a default may hold a bar":                          {"[TelehealthLink|a|b]", "a|b"},
		"a default may hold an escaped bracket":             {"[TelehealthLink|[[x]", "[x"},
		"a default may go over lines":                       {"[TelehealthLink|a\nb]", "a\nb"},
		"a clause stays where there is a value":             {"a[If ClientName] b[End].", "a b."},
		"a clause goes where there is none":                 {"a[If TelehealthLink] b[End].", "a."},
		"the other clause takes its place":                  {"[If TelehealthLink]a[Else]b[End]", "b"},
		"the first clause excludes the other":               {"[If ClientName]a[Else]b[End]", "a"},
		"section words in any case":                         {"[IF clientname]a[eLSE]b[END]", "a"},
		"several blanks in a section":                       {"[If   ClientName ]a[End]", "a"},
		"sections nest":                                     {"[If ClientName]a[If TelehealthLink]b[Else]c[End]d[Else]e[End]f", "acdf"},
		"a section inside one left out stays out":           {"[If TelehealthLink]a[If ClientName]b[End]c[End]d", "d"},
		"three words after a bracket are no section":        {"[if you come]", "[if you come]"},
		"line breaks of all kinds are one kind":             {"a\r\nb\rc\u2028d", "a\nb\nc\nd"},
		"control characters in a template go":               {"a\x00\x1bb\tc", "ab c"},
		"blanks around the text go":                         {"\n\n  a  \n\n", "a"},
		"an empty template is empty":                        {"", ""},
		"a template of nothing but a missing value":         {"[TelehealthLink]", ""},
		"an address of several lines is written in one":     {"[LocationAddress]", "12 Main Street, Hoboken, NJ 07030"},
		"the weekday, the end and the length of the visit":  {"[AppointmentDay] [AppointmentEndTime] [AppointmentDuration]", "Thursday 3:50 PM 50 minutes"},
		"a template that asks for the zone gets it":         {"[AppointmentTime] [AppointmentTimeZone]", "3:00 PM Eastern Time"},
		"a name that contains End is a plain word in words": {"[The End]", "[The End]"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := text(t, tt.template, v); got != tt.want {
				t.Errorf("%q reads %q, want %q", tt.template, got, tt.want)
			}
		})
	}
}

// What is missing leaves no hole.
func TestHoles(t *testing.T) {
	t.Parallel()
	v := visit(t).Values("en") // without a telehealth link
	tests := map[string]struct{ template, want string }{
		"before a comma":                         {"Hi [TelehealthLink], come", "Hi, come"},
		"before a full stop":                     {"at [TelehealthLink].", "at."},
		"between blanks":                         {"a [TelehealthLink] b", "a b"},
		"before a spaced exclamation mark":       {"Bonjour [TelehealthLink] !", "Bonjour !"},
		"before a mark behind a no-break blank":  {"Bonjour [TelehealthLink]\u00a0!", "Bonjour\u00a0!"},
		"at the start":                           {"[TelehealthLink] a", "a"},
		"at the end":                             {"a [TelehealthLink]", "a"},
		"at the start of a line":                 {"a\n[TelehealthLink] b", "a\nb"},
		"at the end of a line":                   {"a [TelehealthLink]\nb", "a\nb"},
		"two at once":                            {"a [TelehealthLink] [TelehealthLink] b", "a b"},
		"between words without blanks":           {"a[TelehealthLink]b", "ab"},
		"a line of its own":                      {"a\n[TelehealthLink]\nb", "a\nb"},
		"a line of blanks of its own":            {"a\n [TelehealthLink] \nb", "a\nb"},
		"a paragraph of its own":                 {"a\n\n[TelehealthLink]\n\nb", "a\n\nb"},
		"two paragraphs":                         {"a\n\n[TelehealthLink]\n\n[TelehealthLink]\n\nb", "a\n\nb"},
		"the first paragraph":                    {"[TelehealthLink]\n\nb", "b"},
		"the last paragraph":                     {"a\n\n[TelehealthLink]\n", "a"},
		"marks of a section on their own lines":  {"a\n[If ClientName]\nb\n[End]\nc", "a\nb\nc"},
		"a section left out, on its own lines":   {"a\n[If TelehealthLink]\nb\n[End]\nc", "a\nc"},
		"the other clause, on its own lines":     {"a\n[If TelehealthLink]\nb\n[Else]\nc\n[End]\nd", "a\nc\nd"},
		"a paragraph in a section":               {"a\n\n[If ClientName]\nb\n[End]\n\nc", "a\n\nb\n\nc"},
		"a paragraph in a section left out":      {"a\n\n[If TelehealthLink]\nb\n[End]\n\nc", "a\n\nc"},
		"a paragraph with its blank line inside": {"a\n\n[If ClientName]\nb\n\n[End]\nc", "a\n\nb\n\nc"},
		"lines that follow each other in marks":  {"a\n[If TelehealthLink]x[End]\n[If ClientName]y[End]\nb", "a\ny\nb"},
		"words of the other clause stand":        {"a [If TelehealthLink]b[Else] , c[End]", "a  , c"},
		"blank lines of the template stand":      {"a\n\n\n[ClientName]\n\n\nb", "a\n\n\nMia Lee\n\n\nb"},
		"double blanks of the template stand":    {"a  b [TelehealthLink] c  d", "a  b c  d"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := text(t, tt.template, v); got != tt.want {
				t.Errorf("%q reads %q, want %q", tt.template, got, tt.want)
			}
		})
	}
}

func TestCompileReportsMistakes(t *testing.T) {
	t.Parallel()
	type at struct {
		Line, Column  int
		Name, Nearest string
	}
	tests := map[string]struct {
		template string
		want     []at
	}{
		"a swapped letter":                       {"[ClientNmae]", []at{{1, 1, "ClientNmae", "ClientName"}}},
		"part of a name":                         {"Hi [FirstName]", []at{{1, 4, "FirstName", "RecipientFirstName"}}},
		"letters that are not English":           {"[Größe]", []at{{1, 1, "Größe", nearestTo(t, "Größe")}}},
		"an unknown name with a default":         {"[Clientname2|x]", []at{{1, 1, "Clientname2", "ClientName"}}},
		"an unknown name in a section":           {"[If ManageLnk]x[End]", []at{{1, 1, "ManageLnk", "ManageLink"}}},
		"EndIf":                                  {"[If ClientName]x[EndIf]", []at{{1, 1, "", ""}, {1, 17, "EndIf", "End"}}},
		"If without a name":                      {"[If]", []at{{1, 1, "", ""}}},
		"a section never closed, on its line":    {"a\nb [If ClientName]\nc", []at{{2, 3, "", ""}}},
		"the outer of two sections never closed": {"[If ClientName]\n[If Relationship]x[End]", []at{{1, 1, "", ""}}},
		"an End without a section":               {"a\n[End]", []at{{2, 1, "", ""}}},
		"an Else without a section":              {"é [Else]", []at{{1, 3, "", ""}}},
		"two Elses":                              {"[If ClientName]a[Else]b[Else]c[End]", []at{{1, 24, "", ""}}},
		"a placeholder in a default":             {"[ClientName|see [PracticeName]]", []at{{1, 1, "", ""}}},
		"several, in order":                      {"[If X]\n[Yz]", []at{{1, 1, "X", nearestTo(t, "X")}, {1, 1, "", ""}, {2, 1, "Yz", nearestTo(t, "Yz")}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := templates.Compile(tt.template)
			if c != nil {
				t.Errorf("%q compiles in spite of %v", tt.template, err)
			}
			var got []at
			for _, e := range mistakes(err) {
				got = append(got, at{e.Line, e.Column, e.Name, e.Nearest})
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("mistakes in %q (-want +got):\n%s", tt.template, d)
			}
		})
	}
}

// nearestTo is what is suggested for a name that resembles none.
func nearestTo(t *testing.T, name string) string {
	t.Helper()
	_, err := templates.Compile("[" + name + "]")
	return mistakes(err)[0].Nearest
}

// Nobody reads a thousand mistakes, and to place each takes time.
func TestMistakesEndAtAHundred(t *testing.T) {
	t.Parallel()
	_, err := templates.Compile(strings.Repeat("[Nobody] [If Nothing]", 1000))
	if n := len(mistakes(err)); n != 100 {
		t.Errorf("%d mistakes", n)
	}
}

func TestErrorsReadLikeSentences(t *testing.T) {
	t.Parallel()
	_, err := templates.Compile("Hi\n[RecipientFirstNam], [End]")
	want := "line 2, column 1: unknown placeholder [RecipientFirstNam]: did you mean [RecipientFirstName]? For an ordinary bracket write [[\n" +
		"line 2, column 22: [End] stands outside a section: there is no [If …] before it"
	if err == nil || err.Error() != want {
		t.Errorf("the error reads\n%v\nwant\n%s", err, want)
	}
}

func TestUses(t *testing.T) {
	t.Parallel()
	c, err := templates.Compile("[ClientName|x] [If TelehealthLink]a[End] [[ServiceName] [AppointmentTime] [AppointmentEndTime] [AppointmentTimeZone]")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{
		"clientname": true, "TelehealthLink": true, "AppointmentTime": true, "AppointmentEndTime": true, "AppointmentTimeZone": true,
	}
	for _, name := range append(templates.Names(), "clientname", "Nobody") {
		want := used[name] || name == "ClientName"
		if c.Uses(name) != want {
			t.Errorf("Uses(%q) = %t", name, !want)
		}
	}
}

// One pass: whatever a value looks like, it stays as it is.
func TestValuesAreNotTemplates(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"[ClientName]", "[[x]]", "[If ClientName]", "[End]", "[PracticeName|x]", "{{.}}", "%s"} {
		f := visit(t)
		f.Recipient.First = name
		got := text(t, "Hi [RecipientFirstName], [If RecipientFirstName][RecipientName][End]", f.Values("en"))
		if want := "Hi " + name + ", " + name + " Lee"; got != want {
			t.Errorf("a person called %s reads %q, want %q", name, got, want)
		}
	}
}

func TestEveryNameHasItsOwnValue(t *testing.T) {
	t.Parallel()
	f := online(t)
	f.LocationName, f.LocationAddress = "Room 2", "Side Street 1"
	f.Data = map[string]string{
		"portal_link": "https://p.example/", "form_name": "Intake", "form_link": "https://f.example/", "document_name": "Letter",
		"invoice_number": "INV-7", "invoice_amount": "$80.00", "invoice_due": "2027-01-05", "other": "ignored",
	}
	v := f.Values("en")
	want := strings.Join([]string{
		"RecipientFirstName=Ana", "RecipientLastName=Lee", "RecipientName=Ana Lee",
		"ClientFirstName=Mia", "ClientLastName=Lee", "ClientName=Mia Lee", "Relationship=Mother",
		"PracticeName=Sunrise Therapy", "PracticePhone=(201) 555-0199", "PracticeEmail=desk@sunrise.example",
		"PractitionerName=Dr. Ruth Kim", "ServiceName=Initial assessment",
		"AppointmentDate=Thursday, December 10, 2026", "AppointmentDay=Thursday", "AppointmentTime=3:00 PM", "AppointmentEndTime=3:50 PM",
		"AppointmentTimeZone=Eastern Time", "AppointmentDuration=50 minutes", "LocationName=Room 2", "LocationAddress=Side Street 1",
		"TelehealthLink=https://video.example/j/42?a=1&b=2", "ManageLink=https://sunrise.example/m/7f3a",
		"PortalLink=https://p.example/", "FormName=Intake", "FormLink=https://f.example/", "DocumentName=Letter",
		"InvoiceNumber=INV-7", "InvoiceAmount=$80.00", "InvoiceDueDate=Tuesday, January 5, 2027",
		"Visits=",
	}, "\n")
	var got []string
	for _, name := range templates.Names() {
		got = append(got, name+"="+text(t, "["+name+"]", v))
		if v.Get(name) != text(t, "["+name+"]", v) {
			t.Errorf("Get(%q) differs from what is rendered", name)
		}
	}
	if d := cmp.Diff(want, strings.Join(got, "\n")); d != "" {
		t.Errorf("values (-want +got):\n%s", d)
	}
}
