package app

import (
	"log/slog"
	"net/http"

	"rappel/internal/heartbeat"
	"rappel/internal/ops"
	"rappel/internal/postgres"
	"rappel/internal/queue"
)

// JudgeServer is what check says of a database server.
func JudgeServer(s postgres.Server) Finding { return judgeServer(s).finding("database") }

// JudgeNode is what check says of a Redis server, all three lines of it.
func JudgeNode(n queue.Node) []Finding {
	return []Finding{judgeNode(n).finding("redis"), judgePolicy(n).finding("redis eviction"), judgePersistence(n).finding("redis persistence")}
}

// Loops are those of the process.
func (a *App) Loops() *heartbeat.Loops { return a.loops }

// Ready are the conditions that /readyz asks.
func (a *App) Ready() []ops.Check { return a.ready() }

// WatchWebhook watches a webhook with metrics of its own.
func WatchWebhook(log *slog.Logger, hook string, next http.Handler) http.Handler {
	return (&App{log: log, metrics: newMetrics()}).watchWebhook(hook, next)
}
