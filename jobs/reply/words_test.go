package reply_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"rappel/jobs/reply"
)

func TestWhatAPersonWroteIsMaskedHoweverItIsPrinted(t *testing.T) {
	t.Parallel()
	r := reply.Reply{Inbound: inbound("Late, Ann")}
	marshalled, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "reply", r, "text", r.Text)
	within := struct{ hidden reply.Reply }{r}
	for _, printed := range []string{
		string(marshalled), log.String(), fmt.Sprint(r), fmt.Sprintf("%+v %#v", r, r), fmt.Sprintf("%v %+v %#v", within, within, within),
		fmt.Sprintf("%s %q", r.Text, r.Text), fmt.Sprint(&r),
	} {
		if strings.Contains(printed, "Ann") || strings.Contains(printed, "2015550101") {
			t.Error(printed)
		}
	}
	if r.Text.Reveal() != "Late, Ann" || (reply.Words{}).Reveal() != "" {
		t.Error("the words are lost")
	}
}
