package recipients_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rappel/internal/kind"
	"rappel/recipients"
)

// Few addresses in many spellings, so that they meet.
func anyEmail() *rapid.Generator[string] {
	return rapid.SampledFrom([]string{"", " ", "a@x.org", " A@X.org", "b@x.org", "B@x.ORG", "c@x.org", "no"})
}

func anyPhone() *rapid.Generator[string] {
	return rapid.SampledFrom([]string{"", "(201) 555-0101", "+12015550101", "2015550102", "+1 201-555-0102", "911"})
}

func anyKind() *rapid.Generator[kind.Kind] {
	return rapid.SampledFrom(append(kind.All(), "appointment.dreamt"))
}

func anyMethod() *rapid.Generator[string] {
	return rapid.SampledFrom([]string{"email", "sms", "both", "Both", "none", "voice", "", "fax"})
}

func anyContact(t *rapid.T, id string) recipients.Contact {
	flag := func(label string) bool { return rapid.Bool().Draw(t, id+label) }
	c := recipients.Contact{
		ID: id, Email: anyEmail().Draw(t, id+" email"), Phone: anyPhone().Draw(t, id+" phone"),
		Position:          rapid.IntRange(0, 2).Draw(t, id+" position"),
		ReceivesReminders: flag(" reminders"), ReceivesConfirmations: flag(" confirmations"),
		ReceivesScheduled: flag(" scheduled"), PortalAccess: flag(" portal"), CanMessage: flag(" message"),
		CanViewDocuments: flag(" documents"), CanManageBilling: flag(" billing"),
	}
	if flag(" is a client") {
		c.As = &recipients.Client{
			Email: anyEmail().Draw(t, id+" as email"), Phone: anyPhone().Draw(t, id+" as phone"),
			DoNotContact: rapid.IntRange(0, 3).Draw(t, id+" do not contact") == 0,
		}
	}
	return c
}

func anyInput(t *rapid.T) recipients.Input {
	rarely := func(label string) bool { return rapid.IntRange(0, 9).Draw(t, label) == 0 }
	flag := func(label string) bool { return rapid.Bool().Draw(t, label) }
	in := recipients.Input{
		Kind:      anyKind().Draw(t, "kind"),
		Addressee: rapid.SampledFrom([]string{"", "a", "b", "z"}).Draw(t, "addressee"),
		Practice:  recipients.Practice{Country: "US", Active: !rarely("inactive"), ChannelFallback: flag("fallback")},
		Client: recipients.Client{
			ID: "client", Email: anyEmail().Draw(t, "email"), Phone: anyPhone().Draw(t, "phone"),
			Method:            anyMethod().Draw(t, "method"),
			ReceivesReminders: flag("reminders"), ReceivesConfirmations: flag("confirmations"),
			ReceivesScheduled: flag("scheduled"),
			DoNotContact:      rarely("do not contact"), Archived: rarely("archived"),
		},
		NotifyOff: rarely("notify off"),
	}
	for _, id := range []string{"a", "b", "c"}[:rapid.IntRange(0, 3).Draw(t, "contacts")] {
		in.Contacts = append(in.Contacts, anyContact(t, id))
	}
	in.OptOuts = rapid.SliceOfN(rapid.Custom(anyOptOut), 0, 3).Draw(t, "opt-outs")
	for _, o := range rapid.SliceOfN(rapid.Custom(anyOptOut), 0, 1).Draw(t, "unusable") {
		in.Unusable = append(in.Unusable, recipients.Unusable(o))
	}
	if rarely("against") {
		in.Against = rapid.SliceOfN(rapid.SampledFrom(recipients.Reasons()), 1, 3).Draw(t, "reasons")
	}
	return in
}

func anyOptOut(t *rapid.T) recipients.OptOut {
	if rapid.Bool().Draw(t, "sms") {
		return recipients.OptOut{Channel: recipients.SMS, Address: anyPhone().Draw(t, "phone")}
	}
	return recipients.OptOut{Channel: recipients.Email, Address: anyEmail().Draw(t, "email")}
}

// always checks what is true of every decision.
func always(t *testing.T, property func(*rapid.T, recipients.Input, recipients.Decision)) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		in := anyInput(t)
		property(t, in, recipients.Decide(in))
	})
}

func TestNobodySwitchedOffIsEverTold(t *testing.T) {
	t.Parallel()
	always(t, func(t *rapid.T, in recipients.Input, d recipients.Decision) {
		for _, c := range told(d) {
			if !switchedOn(in, c) {
				t.Errorf("%s is told of %s", c.ID, in.Kind)
			}
		}
	})
}

// switchedOn is semantics 1.2 and 5, said in another way than the code does.
func switchedOn(in recipients.Input, c recipients.Candidate) bool {
	who := asContact(in, c)
	rights := map[kind.Kind]bool{
		kind.PortalInvited:          who.PortalAccess,
		kind.PortalMessage:          who.PortalAccess && who.CanMessage,
		kind.FormSent:               true,
		kind.FormSignatureRequested: true,
		kind.DocumentShared:         who.PortalAccess && who.CanViewDocuments,
		kind.InvoiceIssued:          who.CanManageBilling,
		kind.EstimateIssued:         c.Recipient == recipients.RoleClient,
		kind.Scheduled:              who.ReceivesScheduled,
		kind.Reminder:               who.ReceivesReminders,
		kind.TelehealthLink:         who.ReceivesReminders,
	}
	right, named := rights[in.Kind]
	return right || !named && in.Kind.Sort() == kind.Event && who.ReceivesConfirmations
}

// asContact is the contact whom c names, or the client as one with all rights.
func asContact(in recipients.Input, c recipients.Candidate) recipients.Contact {
	for _, k := range in.Contacts {
		if c.Recipient == recipients.RoleContact && k.ID == c.ID {
			return k
		}
	}
	if c.Recipient == recipients.RoleContact {
		return recipients.Contact{}
	}
	return recipients.Contact{
		ReceivesReminders:     in.Client.ReceivesReminders,
		ReceivesConfirmations: in.Client.ReceivesConfirmations,
		ReceivesScheduled:     in.Client.ReceivesScheduled,
		PortalAccess:          true, CanMessage: true, CanViewDocuments: true, CanManageBilling: true,
	}
}

func TestNoAddressIsToldTwiceOnAChannel(t *testing.T) {
	t.Parallel()
	always(t, func(t *rapid.T, _ recipients.Input, d recipients.Decision) {
		sent := told(d)
		for i, a := range sent {
			for _, b := range sent[:i] {
				if a.Channel == b.Channel && a.Address.Same(b.Address) {
					t.Errorf("%s and %s are told at %s", a.ID, b.ID, a.Address.Reveal())
				}
			}
		}
	})
}

func TestNobodyIsToldTwiceOnAChannel(t *testing.T) {
	t.Parallel()
	always(t, func(t *rapid.T, _ recipients.Input, d recipients.Decision) {
		sent := told(d)
		for i, a := range sent {
			for _, b := range sent[:i] {
				if a.Channel == b.Channel && a.ID == b.ID {
					t.Errorf("%s is told twice by %s", a.ID, a.Channel)
				}
			}
		}
	})
}

func TestNobodyIsToldWithoutAnAddressOrSkippedWithoutAReason(t *testing.T) {
	t.Parallel()
	always(t, func(t *rapid.T, _ recipients.Input, d recipients.Decision) {
		for _, c := range d.Candidates {
			if c.Send != (len(c.Reasons) == 0) || c.Send != (c.Address != recipients.Address{}) {
				t.Errorf("%v at %q", c, c.Address.Reveal())
			}
		}
	})
}

func TestReasonsStandOnceInTheContractsOrder(t *testing.T) {
	t.Parallel()
	always(t, func(t *rapid.T, _ recipients.Input, d recipients.Decision) {
		for _, c := range d.Candidates {
			var want []recipients.Reason
			for _, r := range recipients.Reasons() {
				if slices.Contains(c.Reasons, r) {
					want = append(want, r)
				}
			}
			if diff := cmp.Diff(want, c.Reasons); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		}
	})
}

func TestTheOrderOfTheInputDoesNotMatter(t *testing.T) {
	t.Parallel()
	always(t, func(t *rapid.T, in recipients.Input, d recipients.Decision) {
		in.Contacts = rapid.Permutation(in.Contacts).Draw(t, "contacts")
		in.OptOuts = rapid.Permutation(in.OptOuts).Draw(t, "opt-outs")
		in.Unusable = rapid.Permutation(in.Unusable).Draw(t, "unusable")
		in.Against = rapid.Permutation(in.Against).Draw(t, "against")
		if diff := cmp.Diff(d, recipients.Decide(in), byValue()); diff != "" {
			t.Errorf("(-before +after):\n%s", diff)
		}
	})
}

func TestNobodyOptedOutIsTold(t *testing.T) {
	t.Parallel()
	always(t, func(t *rapid.T, in recipients.Input, d recipients.Decision) {
		for _, c := range told(d) {
			for _, o := range in.OptOuts {
				a, err := recipients.ParseAddress(o.Channel, o.Address, in.Practice.Country)
				if err == nil && o.Channel == c.Channel && a.Same(c.Address) {
					t.Errorf("%s is told at %s", c.ID, o.Address)
				}
			}
		}
	})
}

func TestDecidingTwiceGivesTheSame(t *testing.T) {
	t.Parallel()
	always(t, func(t *rapid.T, in recipients.Input, d recipients.Decision) {
		if diff := cmp.Diff(d, recipients.Decide(in), byValue()); diff != "" {
			t.Errorf("(-first +second):\n%s", diff)
		}
	})
}

func TestWhatSpeaksAgainstAllIsOnEverybody(t *testing.T) {
	t.Parallel()
	always(t, func(t *rapid.T, in recipients.Input, d recipients.Decision) {
		for _, c := range d.Candidates {
			for _, r := range in.Against {
				if !slices.Contains(c.Reasons, r) || d.Outcome != recipients.Skipped {
					t.Errorf("%s: %v in spite of %s", d.Outcome, c, r)
				}
			}
		}
	})
}

func TestTheOutcomeSumsUp(t *testing.T) {
	t.Parallel()
	always(t, func(t *rapid.T, _ recipients.Input, d recipients.Decision) {
		off := func(c recipients.Candidate) bool { return slices.Contains(c.Reasons, recipients.FlagOff) }
		someOn := slices.ContainsFunc(d.Candidates, func(c recipients.Candidate) bool { return !off(c) })
		if (d.Outcome == recipients.Notify) != (len(told(d)) > 0) {
			t.Errorf("%s, and %d are told", d.Outcome, len(told(d)))
		}
		if d.Outcome == recipients.Silenced && someOn || d.Outcome == recipients.Unreachable && !someOn {
			t.Errorf("%s: %v", d.Outcome, d.Candidates)
		}
	})
}

func TestCandidatesSurviveTheirJSON(t *testing.T) {
	t.Parallel()
	always(t, func(t *rapid.T, _ recipients.Input, d recipients.Decision) {
		data, err := json.Marshal(d.Candidates)
		if err != nil {
			t.Fatal(err)
		}
		var back []recipients.Candidate
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		for i := range d.Candidates {
			d.Candidates[i].Address, d.Candidates[i].Person = recipients.Address{}, recipients.Person{}
		}
		if diff := cmp.Diff(d.Candidates, back, byValue()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func told(d recipients.Decision) []recipients.Candidate {
	return slices.DeleteFunc(slices.Clone(d.Candidates), func(c recipients.Candidate) bool { return !c.Send })
}
