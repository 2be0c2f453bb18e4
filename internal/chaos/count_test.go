package chaos_test

import "testing"

// Books that find nothing wrong may have looked at nothing.
func TestBooksSeeEachBreach(t *testing.T) {
	t.Parallel()
	type counts struct{ lost, doubled, changed, uncalled, unaccounted int }
	for name, tc := range map[string]struct {
		breach func(b *books, m message)
		want   counts
	}{
		"what everybody got once closes": {func(*books, message) {}, counts{}},
		"a message that never came is lost": {func(b *books, _ message) {
			delete(b.tally.taken, "key")
			delete(b.rows, "key")
		}, counts{lost: 1}},
		"a message that only the ledger sent is lost, and does not agree": {func(b *books, _ message) {
			delete(b.tally.taken, "key")
		}, counts{lost: 1, unaccounted: 1}},
		"the same message under another key is doubled": {func(b *books, m message) {
			b.tally.taken["other"] = b.tally.taken["key"]
			b.rows["other"] = row{message: m, id: "other", status: "sent"}
		}, counts{doubled: 1}},
		"a key that the ledger does not know does not agree": {func(b *books, _ message) {
			b.tally.taken["other"] = b.tally.taken["key"]
		}, counts{unaccounted: 1}},
		"another body is changed": {func(b *books, _ message) { b.tally.changed = []string{"key"} }, counts{changed: 1}},
		"what was taken back is uncalled for": {func(b *books, m message) {
			delete(b.world.oracle.must, m)
		}, counts{uncalled: 1}},
		"what was taken back too late is neither here nor there": {func(b *books, m message) {
			delete(b.world.oracle.must, m)
			b.world.oracle.may[m] = true
		}, counts{}},
		"what was taken back before its answer came is neither here nor there": {func(b *books, m message) {
			delete(b.world.oracle.must, m)
			b.world.oracle.may[m] = true
			b.rows["key"] = row{message: m, id: "key", status: "suppressed", reason: "cancelled"}
		}, counts{}},
		"a message that was due and that the ledger calls suppressed does not agree": {func(b *books, m message) {
			b.rows["key"] = row{message: m, id: "key", status: "suppressed", reason: "cancelled"}
		}, counts{unaccounted: 1}},
		"another's address is uncalled for": {func(b *books, _ message) {
			l := b.tally.taken["key"]
			l.To = []byte(`"+19172999999"`)
			b.tally.taken["key"] = l
		}, counts{uncalled: 1}},
		"a message that the ledger calls expired does not agree": {func(b *books, m message) {
			b.rows["key"] = row{message: m, id: "key", status: "expired"}
		}, counts{unaccounted: 1}},
		"a row that stays open does not agree": {func(b *books, m message) {
			b.rows["other"] = row{message: m, id: "other", status: "pending"}
		}, counts{unaccounted: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, m := closedBooks(t)
			tc.breach(b, m)
			if err := b.perPerson(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := b.perKey(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := (counts{b.lost, b.doubled, b.changed, b.uncalled, b.unaccounted}); got != tc.want {
				t.Errorf("counted %+v, want %+v:\n%v", got, tc.want, b.why)
			}
		})
	}
}

// closedBooks are of one message, which its one recipient got once.
func closedBooks(t *testing.T) (*books, message) {
	t.Helper()
	p := newPeople(newDice(1, "people"), 1, 20)
	w := &world{people: p, oracle: newOracle(p)}
	for _, c := range p.clients {
		told := p.due(c, "appointment.booked")
		if len(told) == 0 || told[0].channel != "sms" || told[0].person != c.id {
			continue
		}
		m := message{appointment: "visit", recipient: told[0], kind: "appointment.booked", start: 1}
		w.oracle.must = map[message]bool{m: true}
		return &books{
			world: w,
			rows:  map[string]row{"key": {message: m, id: "key", status: "sent"}},
			tally: tally{taken: map[string]letter{"key": {
				Kind: m.kind, ClientID: c.id, AppointmentID: m.appointment, channel: "sms", To: []byte(`"` + c.address("sms") + `"`),
			}}},
		}, m
	}
	t.Fatal("no client is told by SMS first of all")
	return nil, message{}
}
