package chaos_test

import (
	"maps"
	"time"
)

// reminder is the kind of message that rules make.
const reminder = "appointment.reminder"

// A message is what one person must hear once on one channel.
type message struct {
	appointment string
	recipient

	kind  string
	start int64 // that it speaks of, in Unix seconds
}

// An oracle knows who is due what. It works that out from what the practice
// does, at the moment when the practice has done it.
type oracle struct {
	people *people
	must   map[message]bool
	may    map[message]bool // what came so close to its own cancellation that either is right
}

func newOracle(p *people) *oracle {
	return &oracle{people: p, must: map[message]bool{}, may: map[message]bool{}}
}

func (o *oracle) messages(v *visit, kind string, start time.Time) map[message]bool {
	all := map[message]bool{}
	for _, r := range o.people.due(v.client, kind) {
		all[message{v.id, r, kind, start.Unix()}] = true
	}
	return all
}

// due says that people must be told.
func (o *oracle) due(v *visit, kind string, start time.Time) {
	maps.Copy(o.must, o.messages(v, kind, start))
}

// undue takes back what was due; too late, it may have gone all the same.
func (o *oracle) undue(v *visit, kind string, start time.Time, tooLate bool) {
	for m := range o.messages(v, kind, start) {
		if o.must[m] && tooLate {
			o.may[m] = true
		}
		delete(o.must, m)
	}
}
