package recipients_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rappel/internal/kind"
	"rappel/recipients"
)

// A rule is one sentence of what is true: who is told about ana's visit, once
// the input is changed.
type rule struct {
	change func(*recipients.Input)
	want   []string
}

func check(t *testing.T, rules map[string]rule) {
	t.Helper()
	for name, rule := range rules {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := visit()
			rule.change(&in)
			if diff := cmp.Diff(rule.want, verdicts(recipients.Decide(in))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// verdicts writes a decision for people: its outcome, then each candidate.
func verdicts(d recipients.Decision) []string {
	lines := []string{string(d.Outcome)}
	for _, c := range d.Candidates {
		line := fmt.Sprintf("%s by %s: ", c.ID, c.Channel)
		if c.Send {
			line += c.Address.Reveal()
		} else {
			line += fmt.Sprint(c.Reasons)
		}
		lines = append(lines, line)
	}
	return lines
}

// visit is a reminder for ana, who can be reached on both channels, prefers
// e-mail and has no contacts.
func visit() recipients.Input {
	return recipients.Input{
		Kind:     kind.Reminder,
		Practice: recipients.Practice{ID: "practice", Country: "US", Active: true},
		Client: recipients.Client{
			ID: "ana", FirstName: "Ana", LastName: "Lee", Method: "email",
			Email: "ana@example.com", Phone: "(201) 555-0101",
			ReceivesReminders: true, ReceivesConfirmations: true, ReceivesScheduled: true,
		},
	}
}

// mum and dad are contacts with all flags on, reachable on both channels.
func mum() recipients.Contact { return contact("mum", 1, "mum@example.com", "(201) 555-0102") }

func dad() recipients.Contact { return contact("dad", 2, "dad@example.com", "(201) 555-0103") }

func contact(id string, position int, email, phone string) recipients.Contact {
	return recipients.Contact{
		ID: id, Position: position, Email: email, Phone: phone,
		ReceivesReminders: true, ReceivesConfirmations: true, ReceivesScheduled: true,
	}
}

func TestCandidatesAreTheClientThenTheContacts(t *testing.T) {
	t.Parallel()
	check(t, map[string]rule{
		"a client alone": {
			func(*recipients.Input) {},
			[]string{"notify", "ana by email: ana@example.com"},
		},
		"contacts follow by position, then id": {
			func(in *recipients.Input) {
				in.Contacts = []recipients.Contact{
					contact("c", 2, "c@example.com", ""), contact("b", 2, "b@example.com", ""),
					contact("d", 1, "d@example.com", ""), contact("a", -1, "a@example.com", ""),
				}
			},
			[]string{
				"notify", "ana by email: ana@example.com", "a by email: a@example.com",
				"d by email: d@example.com", "b by email: b@example.com", "c by email: c@example.com",
			},
		},
		"a client can be switched off like any contact": {
			func(in *recipients.Input) {
				in.Client.ReceivesReminders = false
				in.Contacts = []recipients.Contact{mum()}
			},
			[]string{"notify", "ana by email: [flag_off]", "mum by email: mum@example.com"},
		},
		"a contact who is also a client says nothing for that client's own flags": {
			func(in *recipients.Input) {
				m := mum()
				m.As = &recipients.Client{ID: "mary", Method: "none", Archived: true}
				in.Contacts = []recipients.Contact{m}
			},
			[]string{"notify", "ana by email: ana@example.com", "mum by email: mum@example.com"},
		},
	})
}

func TestDecideChangesNothing(t *testing.T) {
	t.Parallel()
	crowded := func() recipients.Input {
		in := visit()
		m := mum()
		m.As = &recipients.Client{DoNotContact: true}
		in.Contacts = []recipients.Contact{dad(), m, contact("a", 0, "", "")}
		in.OptOuts = []recipients.OptOut{{recipients.SMS, "1"}, {recipients.Email, "Dad@example.com"}}
		in.Unusable = []recipients.Unusable{{recipients.SMS, "2"}}
		in.Against = append(make([]recipients.Reason, 0, 9), recipients.Status, recipients.Past)
		return in
	}
	in := crowded()
	recipients.Decide(in)
	if diff := cmp.Diff(crowded(), in); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(make([]recipients.Reason, 7), in.Against[2:9]); diff != "" {
		t.Errorf("behind the end of Against (-before +after):\n%s", diff)
	}
}
