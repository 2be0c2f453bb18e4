package postgres_test

import (
	"slices"
	"testing"
)

func TestLinksFromOnePracticeToAnotherAreCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	elm, oak, ann, ben := newID(), newID(), newID(), newID()
	w.exec(`INSERT INTO rappel.practices (id, name, time_zone) VALUES ($1, 'Elm', 'UTC'), ($2, 'Oak', 'UTC')`, elm, oak)
	w.exec(`INSERT INTO rappel.clients (id, practice_id) VALUES ($1, $2), ($3, $4)`, ann, elm, ben, oak)
	contact := func(practice string, as *string, of ...string) {
		id := newID()
		w.exec(`INSERT INTO rappel.contacts (id, practice_id, client_id) VALUES ($1, $2, $3)`, id, practice, as)
		for _, client := range of {
			w.exec(`INSERT INTO rappel.client_contacts (client_id, contact_id) VALUES ($1, $2)`, client, id)
		}
	}
	gone := newID()
	contact(elm, nil, ann)
	contact(elm, &ann, ann)
	contact(oak, &gone, ben, gone)
	if got, err := w.StrayLinks(t.Context()); len(got) > 0 || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	contact(oak, nil, ann, ben)
	contact(elm, nil, ann, ben)
	contact(elm, &ben)
	want := []string{
		"client_contacts that name a contact of another practice, who is told nothing: 2",
		"contacts whose client_id is a client of another practice, from whom nothing is taken: 1",
	}
	if got, err := w.StrayLinks(t.Context()); !slices.Equal(got, want) || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}
