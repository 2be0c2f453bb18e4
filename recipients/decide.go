// Package recipients decides who is told about an appointment or a notice, on
// which channel and at which address, and gives every reason why the others are
// not.
//
// It is pure, and deliberately knows nothing of when a message goes (that is
// internal/schedule), of what it says (templates), or of where its input comes
// from: no clock, no database, no network, no logging. What the appointment or
// the moment says against telling anybody is handed to it, and goes onto every
// candidate.
package recipients

import (
	"cmp"
	"slices"

	"rappel/internal/kind"
)

// Practice is what a decision needs to know of a practice.
type Practice struct {
	ID      string
	Country string // ISO 3166, how its phone numbers are written; see [ParsePhone]
	Active  bool

	// ChannelFallback lets the other channel serve whom the preferred one
	// cannot reach.
	ChannelFallback bool
}

// Input is a snapshot of all that one decision rests on. Decide only reads it.
type Input struct {
	Kind      kind.Kind
	Addressee string // of a portal or form notice: the contact's id, "" for the client
	Practice  Practice
	Client    Client
	Contacts  []Contact // in any order
	OptOuts   []OptOut
	Unusable  []Unusable
	NotifyOff bool     // the appointment's own switch
	Against   []Reason // what speaks against telling anybody at all
	Takes     Takes    // who takes an address that several have; nil: whoever comes first

	Addresses *Addresses // shared by decisions about the same people; may be nil
}

// Takes tells whether a client or contact to whom a channel's message would go has
// the address to themselves, so that it is a duplicate for those after them.
type Takes func(of Role, id string, c Channel) bool

// Outcome sums a decision up.
type Outcome string

// The outcomes, as the contract names them.
const (
	Notify      Outcome = "notify"
	Silenced    Outcome = "silenced"    // every flag is off
	Unreachable Outcome = "unreachable" // a usable address is all that is missing
	Skipped     Outcome = "skipped"     // something speaks against it, whatever the addresses
)

// Decision is the verdict on everybody: the client first, then the contacts by
// position and id, each once for every channel that the client's method wants.
type Decision struct {
	Outcome    Outcome
	Candidates []Candidate
}

// Decide tells who is told, and all the reasons why the others are not.
func Decide(in Input) Decision {
	j := newJudge(in)
	parties := in.parties()
	candidates := make([]Candidate, 0, len(parties)*len(j.wanted))
	for _, p := range parties {
		for _, c := range j.wanted {
			candidates = append(candidates, j.candidate(p, c))
		}
	}
	slices.SortStableFunc(candidates, clientFirst)
	return Decision{j.outcome(candidates), candidates}
}

// clientFirst turns the order in which addresses are given away, where the
// client comes last, into the one in which people read a decision. It rests on
// the roles' names.
func clientFirst(a, b Candidate) int { return cmp.Compare(a.Recipient, b.Recipient) }
