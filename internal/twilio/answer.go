package twilio

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	sdk "github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"

	"rappel/internal/outbound"
	"rappel/jobs/deliver"
)

func (r response) success() bool { return r.status >= 200 && r.status < 300 }

// problem is Twilio's own number for what went wrong; zero where the answer is
// not in its words. Its sentence is not repeated: it quotes the phone number.
func (r response) problem() int {
	var e sdk.TwilioRestError
	_ = json.Unmarshal(r.body, &e) // what of it can be read; nothing of a page in HTML
	return e.Code
}

// translate says what an answer means. Twilio's own code goes before the status:
// it speaks about this very message, where a status may be that of a proxy.
func (c *Client) translate(r response, message *api.ApiV2010Message) deliver.Answer {
	if r.success() {
		return accepted(r, message)
	}
	problem := r.problem()
	verdict, code := meaning(problem)
	if verdict == 0 {
		verdict = byStatus(r.status)
	}
	return c.toAnswer(r, verdict, code, problem)
}

func (c *Client) toAnswer(r response, verdict deliver.Verdict, code string, problem int) deliver.Answer {
	a := deliver.Answer{Verdict: verdict, Err: r.summary(problem)}
	switch verdict {
	case deliver.Refused:
		a.Code = code
		if code == "" && problem != 0 {
			a.Code = strconv.Itoa(problem)
		}
	case deliver.Misconfigured:
		a.Err = fmt.Errorf("%w: are the Twilio account, its token, its sender and its URL right?", a.Err)
	case deliver.Later, deliver.Busy:
		a.RetryAfter = outbound.RetryAfter(r.header, c.now())
	case deliver.Accepted, deliver.Unanswered:
	}
	return a
}

// summary is what ops are told: numbers of Twilio's, and no text.
func (r response) summary(problem int) error {
	if problem != 0 {
		return fmt.Errorf("twilio answered %d with its error %d", r.status, problem)
	}
	return fmt.Errorf("twilio answered %d%s", r.status, outbound.ContentType(r.header))
}

// accepted reads a 2xx. Twilio creates a message with 201; anybody in between
// may say 200, so any other needs the message's SID to be believed.
func accepted(r response, message *api.ApiV2010Message) deliver.Answer {
	sid := ""
	if message != nil && message.Sid != nil && isMessageSID(*message.Sid) {
		sid = *message.Sid
	}
	if failed, verdict, code := failedAtOnce(message); failed {
		why := errors.New("twilio took the message and failed it at once")
		if verdict == deliver.Misconfigured { // it goes again, as another message of Twilio's
			return deliver.Answer{Verdict: verdict, Err: fmt.Errorf("%w with its error %s: is the sender registered, and the account active?", why, code)}
		}
		return deliver.Answer{Verdict: verdict, MessageID: sid, Code: code, Err: why}
	}
	if sid == "" && r.status != http.StatusCreated {
		return deliver.Answer{Verdict: deliver.Unanswered, Err: r.summary(0)}
	}
	return deliver.Answer{Verdict: deliver.Accepted, MessageID: sid}
}

// failedAtOnce tells whether a message was created as failed: no callback ever
// speaks of the state that a message begins with.
func failedAtOnce(message *api.ApiV2010Message) (failed bool, verdict deliver.Verdict, code string) {
	if message == nil || message.Status == nil || State(*message.Status).Status() != deliver.Undelivered {
		return false, 0, ""
	}
	if message.ErrorCode == nil {
		return true, deliver.Refused, ""
	}
	verdict, code = meaning(*message.ErrorCode)
	if verdict != deliver.Misconfigured {
		verdict = deliver.Refused
	}
	return true, verdict, cmp.Or(code, strconv.Itoa(*message.ErrorCode))
}

// unanswered is the answer where none came.
func unanswered(j *outbound.Journey, err error) deliver.Answer {
	a := deliver.Answer{Verdict: deliver.Later, Err: fmt.Errorf("no answer: %w", outbound.Why(err))}
	if j.MayHaveArrived() {
		a.Verdict = deliver.Unanswered
	}
	return a
}
