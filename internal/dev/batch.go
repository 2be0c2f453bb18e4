package dev

import (
	"context"
	"encoding/json"
	"net/http"

	"rappel/recipients"
)

// mostBatch is how many messages one request may hold.
const mostBatch = 100

// batch takes several messages in one request, each under its own key and with
// an answer of its own.
func (m *MainApp) batch(w http.ResponseWriter, r *http.Request) {
	body, refusal := readObject(w, r)
	var all []map[string]json.RawMessage
	if refusal == nil {
		f := newFields(body)
		all, _ = value[[]map[string]json.RawMessage](f, "messages")
		if refusal = f.refusal(); refusal == nil && (len(all) == 0 || len(all) > mostBatch) {
			refusal = refuse(http.StatusUnprocessableEntity, "invalid_request", "messages is not a list of 1 to 100 messages.")
		}
	}
	if refusal != nil {
		m.trouble("%s was refused with %d: %s", r.URL.Path, refusal.Status, refusal.Detail)
		refusal.write(w)
		return
	}
	results := make([]result, len(all))
	for i, message := range all {
		results[i] = m.takeOne(r.Context(), message)
	}
	writeJSON(w, http.StatusOK, "application/json", map[string][]result{"results": results})
}

// A result is the answer to one message of a batch.
type result struct {
	NotificationID string `json:"notification_id"`
	Status         int    `json:"status"`
	MessageID      string `json:"message_id,omitempty"`
	Code           string `json:"code,omitempty"`
	Detail         string `json:"detail,omitempty"`
}

func (m *MainApp) takeOne(ctx context.Context, message map[string]json.RawMessage) result {
	var key, channel string
	_ = json.Unmarshal(message["notification_id"], &key)
	_ = json.Unmarshal(message["channel"], &channel)
	delete(message, "channel")
	path, read := AdminPath+"/messages/sms", m.takeSMS
	if channel == string(recipients.Email) {
		path, read = AdminPath+"/messages/email", m.takeEmail
	}
	id, refusal := m.keep(ctx, path, key, message, read)
	if refusal != nil {
		m.trouble("a message of a batch was refused with %d: %s", refusal.Status, refusal.Detail)
		return result{NotificationID: key, Status: refusal.Status, Code: refusal.Code, Detail: refusal.Detail}
	}
	return result{NotificationID: key, Status: http.StatusAccepted, MessageID: id}
}
