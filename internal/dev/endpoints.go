package dev

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"rappel/internal/kind"
	"rappel/recipients"
)

// AdminPath is under which the endpoints stand: RAPPEL_ADMIN_URL ends with it.
const AdminPath = "/admin"

// Handler returns the admin endpoints, under AdminPath.
func (m *MainApp) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST "+AdminPath+"/messages/sms", m.taking(m.takeSMS))
	mux.Handle("POST "+AdminPath+"/messages/email", m.taking(m.takeEmail))
	mux.Handle("POST "+AdminPath+"/replies", m.taking(m.takeReply))
	mux.HandleFunc("GET "+AdminPath+"/health", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, "application/json", map[string]any{"batch_max": mostBatch, "features": []string{"expires_at", meansHelp}})
	})
	mux.HandleFunc("POST "+AdminPath+"/messages/batch", m.batch)
	mux.HandleFunc(AdminPath+"/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(http.StatusNotFound, "not_found", "There is no such endpoint, or not with this method.").write(w)
	})
	return m.scriptable(m.guarded(mux))
}

// scriptable lets the hooks answer.
func (m *MainApp) scriptable(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := m.scripted()
		if h.Before != nil && h.Before(w, r) {
			return
		}
		if h.After == nil {
			next.ServeHTTP(w, r)
			return
		}
		held := &heldAnswer{header: http.Header{}, status: http.StatusOK}
		next.ServeHTTP(held, r)
		if !h.After(w, r) {
			held.release(w)
		}
	})
}

// guarded asks for the bearer token.
func (m *MainApp) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok || subtle.ConstantTimeCompare([]byte(given), []byte(m.token)) != 1 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="admin"`)
			refuse(http.StatusUnauthorized, "unauthorized", "The bearer token is missing or wrong.").write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// A taker reads the fields of a request that came under an idempotency key, and
// returns how to keep them under an id of ours, and what to do once they are
// kept, which may be nil.
type taker func(f *fields, key string) (keep func(id string), then func(context.Context))

// taking is what all POSTs have in common.
func (m *MainApp) taking(read taker) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, refusal := m.take(w, r, read)
		if refusal != nil {
			m.trouble("%s was refused with %d: %s", r.URL.Path, refusal.Status, refusal.Detail)
			refusal.write(w)
			return
		}
		writeJSON(w, http.StatusAccepted, "application/json", map[string]string{"message_id": id})
	})
}

func (m *MainApp) take(w http.ResponseWriter, r *http.Request, read taker) (string, *problem) {
	body, refusal := readObject(w, r)
	if refusal != nil {
		return "", refusal
	}
	return m.keep(r.Context(), r.URL.Path, r.Header.Get("Idempotency-Key"), body, read)
}

// keep takes what came under a key, once.
func (m *MainApp) keep(
	ctx context.Context, path, key string, body map[string]json.RawMessage, read taker,
) (string, *problem) {
	if key == "" || len(key) > 255 {
		return "", refuse(http.StatusBadRequest, "idempotency_key", "The header Idempotency-Key is missing or too long.")
	}
	f := newFields(body)
	keep, then := read(f, key)
	if refusal := f.refusal(); refusal != nil {
		return "", refusal
	}
	id, fresh, same := m.once(key, digest(path, body), keep)
	if !same {
		return "", refuse(http.StatusConflict, "idempotency_conflict", "This Idempotency-Key came before with another content.")
	}
	if fresh && then != nil {
		then(ctx)
	}
	return id, nil
}

func (m *MainApp) takeSMS(f *fields, key string) (keep func(string), then func(context.Context)) {
	msg := envelope(f, key)
	msg.Channel = recipients.SMS
	msg.To = f.address("to", isE164, "a number in E.164 form")
	msg.Text = f.text("body")
	return m.keepMessage(msg), nil
}

func (m *MainApp) takeEmail(f *fields, key string) (keep func(string), then func(context.Context)) {
	msg := envelope(f, key)
	msg.Channel = recipients.Email
	to := f.object("to")
	msg.To = to.address("email", isEmail, "an e-mail address")
	msg.Name = to.string("name")
	f.include(to)
	if f.has("reply_to") {
		msg.ReplyTo = f.like("reply_to", isEmail, "an e-mail address")
	}
	msg.Subject = f.like("subject", isLine, "one line of text")
	msg.Text = f.text("text")
	msg.HTML = f.text("html")
	return m.keepMessage(msg), nil
}

// envelope reads what both channels have in common.
func envelope(f *fields, key string) Message {
	msg := Message{
		NotificationID: f.uuid("notification_id"),
		PracticeID:     f.uuid("practice_id"),
		ClientID:       f.uuid("client_id"),
		ContactID:      f.uuidOrNull("contact_id"),
		Kind:           kind.Kind(f.like("kind", isKind, "a kind of message")),
	}
	if msg.NotificationID != key {
		f.wrong("notification_id", "what Idempotency-Key repeats")
	}
	if f.has("expires_at") {
		msg.ExpiresAt = f.time("expires_at")
	}
	if msg.Kind.Sort() != kind.Notice || f.has("appointment_id") {
		msg.AppointmentID = f.uuidOrNull("appointment_id")
	}
	return msg
}

func (m *MainApp) keepMessage(msg Message) func(string) {
	return func(id string) {
		msg.ID, msg.At = id, m.now()
		m.messages = newest(append(m.messages, msg), mostMessages)
	}
}

// Meanings of a reply.
const (
	meansConfirm = "confirm"
	meansOptOut  = "opt_out"
	meansOptIn   = "opt_in"
	meansHelp    = "help"
	meansOther   = "other"
)

func meanings() []string {
	return []string{meansConfirm, meansOptOut, meansOptIn, meansHelp, meansOther}
}

func (m *MainApp) takeReply(f *fields, key string) (keep func(string), then func(context.Context)) {
	reply := Reply{
		From: f.address("from", isE164, "a number in E.164 form"),
		Text: f.string("text"),
		Meaning: f.like("meaning", func(s string) bool {
			return slices.Contains(meanings(), s)
		}, strings.Join(meanings(), ", ")),
		At:             f.time("received_at"),
		PracticeID:     f.uuidIfGiven("practice_id"),
		NotificationID: f.uuidIfGiven("notification_id"),
		AppointmentIDs: f.about(),
	}
	if !isUUID(key) {
		f.wrong("Idempotency-Key", "the UUID of a reply")
	}
	if reply.Meaning == meansConfirm && (reply.PracticeID == "" || reply.NotificationID == "" || len(reply.AppointmentIDs) != 1) {
		f.wrong("meaning", "confirm of one appointment, its practice and its notification")
	}
	keep = func(id string) {
		reply.ID = id
		m.replies = newest(append(m.replies, reply), mostMessages)
	}
	return keep, func(ctx context.Context) { m.act(ctx, reply) }
}

// about reads which appointment a reply is about, or which several it may be.
func (f *fields) about() []string {
	one, several := f.uuidIfGiven("appointment_id"), []string(nil)
	if f.has("appointment_ids") {
		several = f.uuids("appointment_ids")
		if one != "" || len(several) < 2 {
			f.wrong("appointment_ids", "several, in place of appointment_id")
		}
	}
	if one != "" {
		return []string{one}
	}
	return several
}
