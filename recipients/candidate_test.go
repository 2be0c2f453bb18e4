package recipients_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rappel/recipients"
)

func TestCandidatesAreKeptWithoutNameAndAddress(t *testing.T) {
	t.Parallel()
	ann := recipients.Person{FirstName: "Ann", LastName: "Lee"}
	tests := map[string]struct {
		candidate recipients.Candidate
		want      string
	}{
		"one who is told": {
			recipients.Candidate{
				Recipient: recipients.RoleClient, ID: "c1", Channel: recipients.Email,
				Address: email(t, "ann@example.com"), Send: true, Person: ann,
			},
			`{"recipient":"client","id":"c1","channel":"email","outcome":"send","reasons":[]}`,
		},
		"one who is not": {
			recipients.Candidate{
				Recipient: recipients.RoleContact, ID: "k1", Channel: recipients.SMS,
				Reasons: []recipients.Reason{recipients.FlagOff, recipients.OptedOut}, Person: ann,
			},
			`{"recipient":"contact","id":"k1","channel":"sms","outcome":"skip","reasons":["flag_off","opted_out"]}`,
		},
		"one without a channel": {
			recipients.Candidate{
				Recipient: recipients.RoleClient, ID: "c1",
				Reasons: []recipients.Reason{recipients.MethodNone}, Person: ann,
			},
			`{"recipient":"client","id":"c1","channel":null,"outcome":"skip","reasons":["method_none"]}`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := string(marshal(t, test.candidate))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("JSON (-want +got):\n%s", diff)
			}
			var back recipients.Candidate
			if err := json.Unmarshal([]byte(got), &back); err != nil {
				t.Fatal(err)
			}
			test.candidate.Address, test.candidate.Person = recipients.Address{}, recipients.Person{}
			if diff := cmp.Diff(test.candidate, back, byValue()); diff != "" {
				t.Errorf("read back (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadingACandidateForgetsTheOneBefore(t *testing.T) {
	t.Parallel()
	c := recipients.Candidate{Channel: recipients.SMS, Send: true, Person: recipients.Person{FirstName: "Ann"}}
	data := `{"recipient":"client","id":"c1","channel":null,"outcome":"skip","reasons":["past","flag_off"]}`
	if err := json.Unmarshal([]byte(data), &c); err != nil {
		t.Fatal(err)
	}
	want := recipients.Candidate{
		Recipient: recipients.RoleClient, ID: "c1",
		Reasons: []recipients.Reason{recipients.FlagOff, recipients.Past},
	}
	if diff := cmp.Diff(want, c, byValue()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCandidatesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"an outcome nobody knows": `{"recipient":"client","id":"c1","channel":"sms","outcome":"maybe","reasons":[]}`,
		"no outcome":              `{"recipient":"client","id":"c1"}`,
		"another type":            `{"recipient":1}`,
	}
	for name, data := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var c recipients.Candidate
			if err := json.Unmarshal([]byte(data), &c); err == nil {
				t.Errorf("read as %v", c)
			}
		})
	}
}

func TestNothingPrintsACandidatesName(t *testing.T) {
	t.Parallel()
	d := recipients.Decide(visit())
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			got := fmt.Sprintf(format, d)
			if strings.Contains(got, "Ana") || strings.Contains(got, fmt.Sprintf("%x", "Ana")) {
				t.Errorf("leaks: %s", got)
			}
			if !strings.Contains(got, `"outcome":"send"`) {
				t.Errorf("shows nothing: %s", got)
			}
		})
	}
}

// byValue lets cmp compare addresses by ==.
func byValue() cmp.Option { return cmpopts.EquateComparable(recipients.Address{}) }
