package dev_test

import (
	"strings"
	"testing"

	"rappel/internal/dev"
	"rappel/internal/kind"
	"rappel/recipients"
)

func TestEveryReasonHasASentenceOfItsOwn(t *testing.T) {
	t.Parallel()
	for _, c := range []recipients.Channel{recipients.SMS, recipients.Email, ""} {
		said := map[string]recipients.Reason{}
		for _, r := range recipients.Reasons() {
			words := dev.Why(r, kind.Reminder, c)
			if words == "" || words == strings.ReplaceAll(string(r), "_", " ") {
				t.Errorf("%s has no words", r)
			}
			if other, ok := said[words]; ok {
				t.Errorf("%s and %s both say %q", r, other, words)
			}
			said[words] = r
		}
	}
}
