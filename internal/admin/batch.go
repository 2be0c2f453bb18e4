package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"rappel/internal/outbound"
	"rappel/internal/tracing"
	"rappel/jobs/deliver"
)

// mostResults bounds what is read of the answer to a batch.
const mostResults = 1 << 20

// Batch is how many messages the main app takes in one request, as its health
// said last; less than two: it takes them one by one.
func (c *Client) Batch() int { return int(c.batch.Load()) }

// SendAll hands messages over in one request, and returns an answer for each.
// Where the request is refused for good they go one by one, and so do those
// after them until the main app's health is asked again.
func (c *Client) SendAll(ctx context.Context, messages []deliver.Message) []deliver.Answer {
	payload := batch{Messages: make([]any, len(messages))}
	for i, m := range messages {
		payload.Messages[i] = c.item(m)
	}
	body, err := json.Marshal(payload)
	if err != nil {
		return alike(len(messages), deliver.Answer{Verdict: deliver.Refused, Unasked: true, Err: errors.New("the messages cannot be written as JSON")})
	}
	req, err := c.request(ctx, http.MethodPost, "messages/batch", body)
	if err != nil {
		return alike(len(messages), deliver.Answer{Verdict: deliver.Later, Err: err})
	}
	req.Header.Set("Content-Type", "application/json")
	tracing.Inject(ctx, req.Header.Set)
	res, err := c.do(req)
	if err != nil {
		return alike(len(messages), deliver.Answer{Verdict: deliver.Later, Err: fmt.Errorf("no answer: %w", outbound.Why(err))})
	}
	defer res.Body.Close()
	switch code := res.StatusCode; {
	case accepted(code):
		return c.results(code, res.Body, messages)
	case refusedForGood(code), code == http.StatusMethodNotAllowed, code == http.StatusNotImplemented:
		// It may be the batch that is refused, or one message in it: for the
		// others "never" would be wrong.
		c.batch.Store(0)
		return c.oneByOne(ctx, messages)
	}
	return alike(len(messages), c.answer(res))
}

type batch struct {
	Messages []any `json:"messages"`
}

type smsItem struct {
	Channel string `json:"channel"`
	sms
}

type emailItem struct {
	Channel string `json:"channel"`
	email
}

func (c *Client) item(m deliver.Message) any {
	switch _, payload := c.render(m); payload := payload.(type) {
	case sms:
		return smsItem{string(m.Channel), payload}
	case email:
		return emailItem{string(m.Channel), payload}
	}
	return nil
}

// A result is the answer to one message of a batch.
type result struct {
	NotificationID string      `json:"notification_id"`
	Status         json.Number `json:"status"` // or its digits as a string
	MessageID      any         `json:"message_id"`
	Code           any         `json:"code"`
	RetryAfter     json.Number `json:"retry_after"` // seconds
}

// status is the result's status, or zero where it has none.
func (r result) status() int {
	status, _ := strconv.Atoi(r.Status.String())
	return status
}

// results reads the result of each message. A message without one is sent again.
func (c *Client) results(code int, body io.Reader, messages []deliver.Message) []deliver.Answer {
	var answer struct {
		Results []json.RawMessage `json:"results"`
	}
	if json.NewDecoder(io.LimitReader(body, mostResults)).Decode(&answer) != nil {
		return alike(len(messages), deliver.Answer{Verdict: deliver.Later, Err: fmt.Errorf("the endpoint answered %d to a batch, without results that can be read", code)})
	}
	of := map[string]result{} // by the id in lower case
	for _, raw := range answer.Results {
		var r result
		if json.Unmarshal(raw, &r) != nil || r.status() == 0 {
			continue // one that cannot be read is none
		}
		id := strings.ToLower(r.NotificationID)
		if known, ok := of[id]; !ok || !accepted(known.status()) {
			of[id] = r // of several, one that says "accepted" counts
		}
	}
	answers := make([]deliver.Answer, len(messages))
	for i, m := range messages {
		r, ok := of[strings.ToLower(m.NotificationID)]
		if !ok {
			answers[i] = deliver.Answer{Verdict: deliver.Later, Err: errors.New("the endpoint answered a batch without a word of this message")}
			continue
		}
		messageID, _ := r.MessageID.(string)
		refusal, _ := r.Code.(string)
		wait, _ := strconv.Atoi(r.RetryAfter.String())
		answers[i] = translate(r.status(), said{
			what:      fmt.Errorf("the endpoint answered %d to one of a batch", r.status()),
			messageID: kept(messageID), code: codeOf(refusal), retryAfter: outbound.Seconds(wait),
		})
	}
	return answers
}

func alike(n int, a deliver.Answer) []deliver.Answer {
	all := make([]deliver.Answer, n)
	for i := range all {
		all[i] = a
	}
	return all
}

func (c *Client) oneByOne(ctx context.Context, messages []deliver.Message) []deliver.Answer {
	answers := make([]deliver.Answer, len(messages))
	var sending sync.WaitGroup
	for i, m := range messages {
		sending.Go(func() { answers[i] = c.Send(ctx, m) })
	}
	sending.Wait()
	return answers
}
