package behaviour_test

// Everybody of these stories has a number of their own that no carrier gives
// out, +1 201 555 01xx, and an address at example.com.

// client adds a client who wants SMS, unless more says otherwise.
func (w *world) client(first string, more row) string {
	w.t.Helper()
	id := w.insert("clients", row{
		"practice_id": w.practice, "first_name": first, "last_name": "Lee", "preferred_method": "sms",
	}.with(more))
	w.names[id] = first
	return id
}

// contact adds a contact of a client, in the client's practice, who receives
// everything, unless link says otherwise.
func (w *world) contact(client, first string, more, link row) string {
	w.t.Helper()
	practice := w.value(`SELECT practice_id::text FROM rappel.clients WHERE id = $1`, client)
	id := w.insert("contacts", row{"practice_id": practice, "first_name": first, "last_name": "Lee"}.with(more))
	w.names[id] = first
	w.link(client, id, link)
	return id
}

// link makes a contact one of a client's.
func (w *world) link(client, contact string, link row) {
	w.t.Helper()
	w.put("client_contacts", row{
		"client_id": client, "contact_id": contact,
		"receives_reminders": true, "receives_confirmations": true, "receives_scheduled": true,
	}.with(link))
}

// unlink takes a contact from a client.
func (w *world) unlink(client, contact string) {
	w.t.Helper()
	w.exec("DELETE FROM rappel.client_contacts WHERE client_id = $1 AND contact_id = $2", client, contact)
}

// stop notes that a number has said STOP to the practice.
func (w *world) stop(number string) {
	w.t.Helper()
	w.put("opt_outs", row{"practice_id": w.practice, "channel": "sms", "address": number, "source": "STOP"})
}
