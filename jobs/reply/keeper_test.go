package reply_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"rappel/jobs/reply"
)

func TestAReplyIsKeptWithTheTimeItCame(t *testing.T) {
	t.Parallel()
	log, _ := newLog(t)
	var observed []reply.Reply
	k := &reply.Keeper{
		Now: noon, Log: log, Observe: func(r reply.Reply) { observed = append(observed, r) },
		Store: storeFunc(func(_ context.Context, in reply.Inbound, since time.Time, understand func(reply.Inbound, []reply.Sent) reply.Reply) (reply.Reply, bool, error) {
			if want := noon().Add(-96 * time.Hour); !in.ReceivedAt.Equal(noon()) || !since.Equal(want) {
				t.Errorf("received at %s, looked up since %s", in.ReceivedAt, since)
			}
			r := understand(in, []reply.Sent{reminder("n1", "a1")})
			r.ID = "r1"
			return r, true, nil
		}),
	}
	in := inbound("C")
	in.ReceivedAt = time.Time{}
	if err := k.Receive(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if len(observed) != 1 || observed[0].Meaning != reply.Confirm || observed[0].ID != "r1" {
		t.Errorf("observed %+v", observed)
	}
}

func TestAReplyToldOfAgainIsNotCounted(t *testing.T) {
	t.Parallel()
	log, _ := newLog(t)
	k := &reply.Keeper{
		Now: noon, Log: log, Observe: func(reply.Reply) { t.Error("counted") },
		Store: storeFunc(func(context.Context, reply.Inbound, time.Time, func(reply.Inbound, []reply.Sent) reply.Reply) (reply.Reply, bool, error) {
			return reply.Reply{}, false, nil
		}),
	}
	if err := k.Receive(t.Context(), inbound("STOP")); err != nil {
		t.Error(err)
	}
}

func TestAReplyThatCouldNotBeKeptIsSaidSo(t *testing.T) {
	t.Parallel()
	log, text := newLog(t)
	away := errors.New("away")
	k := &reply.Keeper{
		Now: noon, Log: log,
		Store: storeFunc(func(context.Context, reply.Inbound, time.Time, func(reply.Inbound, []reply.Sent) reply.Reply) (reply.Reply, bool, error) {
			return reply.Reply{}, false, away
		}),
	}
	if err := k.Receive(t.Context(), inbound("Late, Ann")); !errors.Is(err, away) {
		t.Errorf("error %v", err)
	}
	if !strings.Contains(text.String(), "away") {
		t.Error("the log does not say so")
	}
}
