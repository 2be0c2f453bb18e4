package testenv

import (
	"os"
	"testing"

	"rappel/internal/services"
)

// EncryptedPostgres starts a PostgreSQL server for this test alone, that takes
// TLS as localhost at the port that it returns.
func EncryptedPostgres(tb testing.TB, c *services.Certificate) (server *services.Postgres, port int) {
	tb.Helper()
	bin, err := services.FindPostgres(os.Getenv("PG_BIN"))
	require(tb, err)
	port = FreePort(tb)
	server, err = services.StartPostgres(tb.Context(), services.PostgresOptions{Bin: bin, Port: port, Certificate: c})
	return started(tb, server, err), port
}

// EncryptedRedis starts a Redis server for this test that takes TLS alone, as
// localhost. One that was built without TLS is as good as none.
func EncryptedRedis(tb testing.TB, c *services.Certificate) *services.Redis {
	tb.Helper()
	bin, err := services.FindRedis()
	require(tb, err)
	server, err := services.StartRedis(tb.Context(), services.RedisOptions{Bin: bin, Port: FreePort(tb), Certificate: c})
	return started(tb, server, err)
}
