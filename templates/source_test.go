package templates_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rappel/templates"
)

func TestSMS(t *testing.T) {
	t.Parallel()
	c, err := sms("<b>[ClientName]</b> & [ManageLink]").Compile()
	if err != nil {
		t.Fatal(err)
	}
	m, err := c.Render(visit(t).Values("en"))
	want := templates.Message{Text: "<b>Mia Lee</b> & https://sunrise.example/m/7f3a"}
	if err != nil || m != want {
		t.Errorf("got %+v, %v; want %+v", m, err, want)
	}
}

func TestTextThatIsTooLargeIsRefused(t *testing.T) {
	t.Parallel()
	for _, s := range []templates.Source{
		{Channel: "sms", Body: strings.Repeat("a", templates.MaxSize+1)},
		{Channel: "email", Subject: "Hi", Body: "<p>" + strings.Repeat("a", templates.MaxSize)},
	} {
		if _, err := s.Compile(); !errors.Is(err, templates.ErrTooLarge) {
			t.Errorf("%s: got %v", s.Channel, err)
		}
		if found := templates.Lint(s); len(found) != 1 || !found[0].Wrong || found[0].Message != templates.ErrTooLarge.Error() {
			t.Errorf("%s: lint found %d", s.Channel, len(found))
		}
		s.Subject, s.Body = "", s.Body[:templates.MaxSize]
		if _, err := s.Compile(); err != nil {
			t.Errorf("%s of the largest size: %v", s.Channel, err)
		}
	}
}

// It takes a minute if each placeholder asks all sections around it.
func TestNestedSectionsCompileInLinearTime(t *testing.T) {
	t.Parallel()
	const deep = 100_000
	text := "[AppointmentTimeZone|x]" + strings.Repeat("[If ManageLink][AppointmentTime]", deep) + strings.Repeat("[End]", deep)
	start := time.Now()
	if _, err := templates.Compile(text); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %s", took)
	}
}

func TestSubject(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ subject, want string }{
		"values stand as they are":        {"[RecipientFirstName] & [ClientName]", "Ana <b> & Mia Lee"},
		"line breaks are blanks":          {"a\nb\r\nc", "a b c"},
		"also around a section":           {"a\n[If TelehealthLink]b[End]\nc", "a c"},
		"an empty one is the practice":    {"", "Sunrise Therapy"},
		"also one that comes out empty":   {"[TelehealthLink] ", "Sunrise Therapy"},
		"nothing but an invisible letter": {"\u200d", "Sunrise Therapy"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := visit(t)
			f.Recipient.First = "Ana\r\n<b>"
			c, err := templates.Source{Channel: "email", Subject: tt.subject, Body: "x"}.Compile()
			if err != nil {
				t.Fatal(err)
			}
			if m, err := c.Render(f.Values("en")); err != nil || m.Subject != tt.want {
				t.Errorf("the subject %q reads %q (%v), want %q", tt.subject, m.Subject, err, tt.want)
			}
		})
	}
}

func TestEmptyBody(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]templates.Source{
		"nothing in an SMS":                 sms(""),
		"blanks":                            sms(" \n\u00a0 "),
		"a value that is missing":           sms("[TelehealthLink]"),
		"letters that nobody sees":          sms("\u200b\u200d"),
		"nothing in an e-mail":              {Channel: "email", Subject: "s", Body: " "},
		"a section left out of an e-mail":   {Channel: "email", Subject: "s", Body: "[If TelehealthLink]x[End]"},
		"HTML with nothing to read":         {Channel: "email", Subject: "s", Body: "<p> <br> </p>"},
		"HTML of which nothing may be kept": {Channel: "email", Subject: "s", Body: "<script>alert(1)</script>"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := s.Compile()
			if err != nil {
				t.Fatal(err)
			}
			if m, err := c.Render(visit(t).Values("en")); !errors.Is(err, templates.ErrEmptyBody) || m != (templates.Message{}) {
				t.Errorf("rendered %+v, %v", m, err)
			}
		})
	}
}

func TestMistakesInSubjectAndBodyAreReportedTogether(t *testing.T) {
	t.Parallel()
	_, err := templates.Source{Channel: "email", Subject: "Hi\n[Nobody]", Body: "a\n[End]"}.Compile()
	want := "subject: line 1, column 4: unknown placeholder [Nobody]: did you mean [Visits]? For an ordinary bracket write [[\n" +
		"line 2, column 1: [End] stands outside a section: there is no [If …] before it"
	if err == nil || err.Error() != want {
		t.Errorf("the error reads\n%v\nwant\n%s", err, want)
	}
}

func TestAnUnknownChannelIsAnError(t *testing.T) {
	t.Parallel()
	if c, err := (templates.Source{Channel: "voice", Body: "x"}).Compile(); err == nil {
		t.Errorf("compiled %+v", c)
	}
}

func TestCompiledUses(t *testing.T) {
	t.Parallel()
	c, err := templates.Source{Channel: "email", Subject: "[ClientName]", Body: "<p>[ManageLink]</p>"}.Compile()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{"ClientName": c.Uses("clientname"), "ManageLink": c.Uses("ManageLink"), "PortalLink": c.Uses("PortalLink")}
	if d := cmp.Diff(map[string]bool{"ClientName": true, "ManageLink": true, "PortalLink": false}, got); d != "" {
		t.Errorf("uses (-want +got):\n%s", d)
	}
}
