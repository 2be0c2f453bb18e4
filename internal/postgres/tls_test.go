package postgres_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"rappel/internal/testenv"
)

// TestOnlyAServerThatIsWhoItSaysIsTalkedTo has one server with a certificate,
// and clients that believe different authorities.
func TestOnlyAServerThatIsWhoItSaysIsTalkedTo(t *testing.T) {
	t.Parallel()
	ours, another := testenv.NewAuthority(t), testenv.NewAuthority(t)
	_, port := testenv.EncryptedPostgres(t, ours.Vouch("localhost"))
	cases := map[string]struct {
		host, mode, authority string
		known                 bool
		refused               string // empty: it is talked to
	}{
		"it is":                                {"localhost", "verify-full", ours.File, true, ""},
		"another authority is believed":        {"localhost", "verify-full", another.File, false, "certificate signed by unknown authority"},
		"it has another name":                  {"127.0.0.1", "verify-full", ours.File, false, "doesn't contain any IP SANs"},
		"its name does not matter":             {"127.0.0.1", "verify-ca", ours.File, true, ""},
		"nor does who vouches for it":          {"localhost", "require", "", false, ""},
		"with an authority require looks, too": {"localhost", "require", another.File, false, "certificate signed by unknown authority"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			query := url.Values{"sslmode": {c.mode}}
			if c.authority != "" {
				query.Set("sslrootcert", c.authority)
			}
			store := open(t, fmt.Sprintf("postgres://postgres:hunter2@%s:%d/postgres?%s", c.host, port, query.Encode()))
			server, err := store.Server(t.Context())
			if c.refused != "" {
				if err == nil || !strings.Contains(err.Error(), c.refused) || strings.Contains(err.Error(), "hunter2") {
					t.Errorf("error %v, want %q", err, c.refused)
				}
				return
			}
			if err != nil || !strings.HasPrefix(server.TLS, "TLS 1.") || server.Known != c.known || !server.Local {
				t.Errorf("%+v, %v", server, err)
			}
		})
	}
}
