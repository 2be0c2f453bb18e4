package recipients

import (
	"cmp"
	"slices"
)

// Reason is one thing that speaks against telling somebody, in the words of
// the contract.
type Reason string

// Every reason there is. This package finds the ones down to NotifyOff; the
// others come to it in [Input.Against] or arise after planning.
const (
	FlagOff           Reason = "flag_off"
	NoAddress         Reason = "no_address"
	InvalidAddress    Reason = "invalid_address"
	OptedOut          Reason = "opted_out"
	DoNotContact      Reason = "do_not_contact"
	ClientArchived    Reason = "client_archived"
	PracticeInactive  Reason = "practice_inactive"
	MethodNone        Reason = "method_none"
	UnsupportedMethod Reason = "unsupported_method"
	BadMethod         Reason = "bad_method"
	Duplicate         Reason = "duplicate"
	NotifyOff         Reason = "notify_off"
	NotConfirmed      Reason = "not_confirmed"
	Cancelled         Reason = "cancelled"
	Superseded        Reason = "superseded"
	Past              Reason = "past"
	LateBooking       Reason = "late_booking"
	QuietHours        Reason = "quiet_hours"
	BadTemplate       Reason = "bad_template"
	EmptyBody         Reason = "empty_body"
	AttemptsExhausted Reason = "attempts_exhausted"
	Refused           Reason = "refused"
	Status            Reason = "status"
	BadZone           Reason = "bad_zone"
)

// Reasons returns every reason in the contract's order, which is also their
// order in a [Candidate].
func Reasons() []Reason {
	return []Reason{
		FlagOff, NoAddress, InvalidAddress, OptedOut, DoNotContact, ClientArchived,
		PracticeInactive, MethodNone, UnsupportedMethod, BadMethod, Duplicate, NotifyOff,
		NotConfirmed, Cancelled, Superseded, Past, LateBooking, QuietHours,
		BadTemplate, EmptyBody, AttemptsExhausted, Refused, Status, BadZone,
	}
}

// ofAddress tells whether another address would cure r, and so whether the
// other channel might.
func (r Reason) ofAddress() bool {
	return r == NoAddress || r == InvalidAddress || r == OptedOut
}

// when is r if it applies, else nothing.
func when(applies bool, r Reason) []Reason {
	if applies {
		return []Reason{r}
	}
	return nil
}

// union puts the lists together in the contract's order, each reason once. It
// is nil if there are none.
func union(lists ...[]Reason) []Reason {
	all := slices.Concat(lists...)
	if len(all) == 0 {
		return nil
	}
	order := Reasons()
	slices.SortFunc(all, func(a, b Reason) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a), slices.Index(order, b)), cmp.Compare(a, b))
	})
	return slices.Compact(all)
}
