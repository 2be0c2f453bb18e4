package behaviour_test

import (
	"time"

	"rappel/jobs"
)

// appointment writes an appointment of 50 minutes, booked now, and tells nobody.
func (w *world) appointment(client, starts string, more row) string {
	w.t.Helper()
	at := instant(w.t, starts)
	return w.insert("appointments", row{
		"practice_id": w.practice, "client_id": client, "practitioner_id": w.practitioner, "service_name": "Therapy",
		"location_name": "Elm Street 5", "starts_at": at, "ends_at": at.Add(50 * time.Minute), "status": "scheduled",
		"booked_at": w.clock.Now(), "updated_at": w.clock.Now(),
	}.with(more))
}

// longBooked is an appointment that was booked a month ago.
func (w *world) longBooked(client, starts string) string {
	w.t.Helper()
	then := w.clock.Now().AddDate(0, -1, 0)
	return w.appointment(client, starts, row{"booked_at": then, "updated_at": then})
}

// book writes an appointment and reports it.
func (w *world) book(client, starts string) string {
	w.t.Helper()
	id := w.appointment(client, starts, nil)
	w.tell("appointment.booked", id)
	return id
}

// change sets columns of an appointment as a main app does, with a new revision.
func (w *world) change(appointment, set string, args ...any) {
	w.t.Helper()
	w.exec("UPDATE rappel.appointments SET revision = revision + 1, updated_at = $2, "+set+" WHERE id = $1",
		append([]any{appointment, w.clock.Now()}, args...)...)
	if w.slow { // its events go by the machine's clock, and come after it
		w.exec("UPDATE rappel.appointments SET updated_at = greatest(updated_at, now()) WHERE id = $1", appointment)
	}
}

// move sets another start and reports it.
func (w *world) move(appointment, starts string) {
	w.t.Helper()
	at := instant(w.t, starts)
	w.change(appointment, "starts_at = $3, ends_at = $4, start_set_at = $2", at, at.Add(50*time.Minute))
	w.tell("appointment.rescheduled", appointment)
}

func (w *world) confirm(appointment string) { w.t.Helper(); w.becomes(appointment, "confirmed") }
func (w *world) decline(appointment string) { w.t.Helper(); w.becomes(appointment, "declined") }
func (w *world) cancel(appointment string)  { w.t.Helper(); w.becomes(appointment, "cancelled") }
func (w *world) miss(appointment string)    { w.t.Helper(); w.becomes(appointment, "missed") }

// becomes gives an appointment a status, and reports the event of that name.
func (w *world) becomes(appointment, status string) {
	w.t.Helper()
	w.change(appointment, "status = $3", status)
	w.tell("appointment."+status, appointment)
}

// tell reports an event as a row.
func (w *world) tell(kind, appointment string) string {
	w.t.Helper()
	return w.event(row{"kind": kind, "appointment_id": appointment})
}

// notice reports something beside appointments as a row, to a contact or, if
// that is empty, to the client.
func (w *world) notice(kind, client, contact, data string) {
	w.t.Helper()
	r := row{"kind": kind, "client_id": client, "data": data}
	if contact != "" {
		r["contact_id"] = contact
	}
	w.event(r)
}

func (w *world) event(r row) string {
	w.t.Helper()
	if w.slow { // what has time to settle goes by the machine's clock
		return w.insert("events", r)
	}
	return w.insert("events", row{"occurred_at": w.clock.Now()}.with(r))
}

// mainApp is a main app written in Go, which reports events as tasks.
func (w *world) mainApp() *jobs.Client {
	w.t.Helper()
	c := jobs.NewClient(w.redis)
	w.t.Cleanup(func() { _ = c.Close() })
	return c
}
