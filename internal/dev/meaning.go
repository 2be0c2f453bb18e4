package dev

import "strings"

// meaningOf says what rappel told the main app about a reply, and what came of
// it.
func (v *viewer) meaningOf(r Reply) string {
	switch r.Meaning {
	case meansConfirm:
		return "Confirmed the appointment of " + v.theVisits(r.AppointmentIDs) + ". The main app has marked it so."
	case meansOptOut:
		return "Opted out: no more SMS to this number."
	case meansOptIn:
		return "Opted in again."
	case meansHelp:
		return "Asks for help: for staff."
	}
	switch {
	case r.NotificationID == "":
		return "For staff: this number was sent nothing lately."
	case len(r.AppointmentIDs) == 0:
		return "For staff."
	case len(r.AppointmentIDs) == 1:
		return "For staff: about the appointment of " + v.theVisits(r.AppointmentIDs) + "."
	}
	return "For staff, since it may be either: the appointment of " + v.theVisits(r.AppointmentIDs) + "."
}

// theVisits names visits: whose they are, and when.
func (v *viewer) theVisits(ids []string) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		who, when := v.about(id, nil)
		if who == "" {
			names[i] = "somebody"
			continue
		}
		names[i] = firstName(who) + " (" + when + ")"
	}
	return strings.Join(names, " or ")
}
