package behaviour_test

// rule adds a reminder rule, saved a month ago.
func (w *world) rule(more row) string {
	w.t.Helper()
	return w.insert("rules", row{
		"practice_id": w.practice, "kind": "reminder", "name": "a rule", "template": "appointment.reminder",
		"updated_at": w.clock.Now().AddDate(0, -1, 0),
	}.with(more))
}

const hour = 60 // minutes of a rule's offset

// reminds adds a rule that many minutes before the start, with words of its own.
func (w *world) reminds(minutesBefore int, words string) string {
	w.t.Helper()
	w.text(words, words)
	return w.rule(row{"offset_minutes": -minutesBefore, "template": words})
}

// text adds a text of the practice's own for both channels.
func (w *world) text(name, body string) {
	w.t.Helper()
	for _, channel := range []string{"sms", "email"} {
		w.template(row{"name": name, "channel": channel, "body": body})
	}
}

// template adds a template of the practice's own, for SMS unless more says
// otherwise.
func (w *world) template(more row) string {
	w.t.Helper()
	return w.insert("templates", row{"practice_id": w.practice, "channel": "sms"}.with(more))
}
