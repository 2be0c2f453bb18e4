package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
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
		payload.Messages[i] = item(m)
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
	res, err := c.http.RoundTrip(req)
	if err != nil {
		return alike(len(messages), deliver.Answer{Verdict: deliver.Later, Err: fmt.Errorf("no answer: %w", outbound.Why(err))})
	}
	defer res.Body.Close()
	switch code := res.StatusCode; {
	case code == http.StatusOK:
		return c.results(res.Body, messages)
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

func item(m deliver.Message) any {
	switch _, payload := render(m); payload := payload.(type) {
	case sms:
		return smsItem{string(m.Channel), payload}
	case email:
		return emailItem{string(m.Channel), payload}
	}
	return nil
}

// A result is the answer to one message of a batch.
type result struct {
	NotificationID string `json:"notification_id"`
	Status         int    `json:"status"`
	MessageID      string `json:"message_id"`
	Code           string `json:"code"`
	RetryAfter     int    `json:"retry_after"` // seconds
}

// results reads what became of each message. One that is not spoken of is asked
// about again.
func (c *Client) results(body io.Reader, messages []deliver.Message) []deliver.Answer {
	var answer struct {
		Results []json.RawMessage `json:"results"`
	}
	if json.NewDecoder(io.LimitReader(body, mostResults)).Decode(&answer) != nil {
		return alike(len(messages), deliver.Answer{Verdict: deliver.Later, Err: errors.New("the endpoint answered 200 to a batch, without results that can be read")})
	}
	of := map[string]result{}
	for _, raw := range answer.Results {
		var r result
		if json.Unmarshal(raw, &r) == nil { // one that cannot be read is none
			of[r.NotificationID] = r
		}
	}
	answers := make([]deliver.Answer, len(messages))
	for i, m := range messages {
		r, ok := of[m.NotificationID]
		if !ok {
			answers[i] = deliver.Answer{Verdict: deliver.Later, Err: errors.New("the endpoint answered a batch without a word of this message")}
			continue
		}
		answers[i] = translate(r.Status, said{
			what:      fmt.Errorf("the endpoint answered %d to one of a batch", r.Status),
			messageID: kept(r.MessageID), code: codeOf(r.Code), retryAfter: outbound.Seconds(r.RetryAfter),
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
