package dev_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rappel/internal/dev"
	"rappel/internal/twilio"
	replies "rappel/jobs/reply"
)

func TestRappelTakesTheCarrierForTwilio(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		token string // of the carrier
		want  []string
		says  string
	}{
		"with its token":     {"right", []string{"+12015550111: ¿Mañana a las 9? & gracias"}, ""},
		"with another token": {"wrong", nil, "403"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			mux := http.NewServeMux()
			server := httptest.NewServer(mux)
			t.Cleanup(server.Close)
			mux.Handle("/in", twilio.InboundHandler(twilio.Webhook{AuthToken: "right", PublicURL: server.URL + "/in"},
				func(_ context.Context, in replies.Inbound) error {
					got = append(got, in.From.Reveal()+": "+in.Text.Reveal())
					return nil
				}))
			carrier := dev.Carrier{InboundURL: server.URL + "/in", AuthToken: c.token}
			err := carrier.Bring(t.Context(), "+12015550111", "+12015550100", "¿Mañana a las 9? & gracias")
			if (err == nil) != (c.says == "") || (err != nil && !strings.Contains(err.Error(), c.says)) {
				t.Errorf("error %v, want %q", err, c.says)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
