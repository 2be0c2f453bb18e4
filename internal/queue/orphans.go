package queue

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"rappel/jobs"
)

// mostLooked is how far into each list and set of a queue orphans are looked
// for.
const mostLooked = 1000

// countOrphans counts entries of a queue that asynq will never work on: an id in
// a list or set whose task is gone, and a task in hand without a lease, which
// nobody recovers. It is one script, since a task that ends between two looks
// would be taken for one. The names of the keys are asynq's own; a test pins
// them.
func countOrphans() *redis.Script {
	return redis.NewScript(`
		local orphans, last = {}, tonumber(ARGV[2]) - 1
		local function look(ids)
			for _, id in ipairs(ids) do
				if redis.call("EXISTS", ARGV[1] .. id) == 0 then orphans[id] = true end
			end
		end
		local active = redis.call("LRANGE", KEYS[1], 0, last)
		look(active)
		for _, id in ipairs(active) do
			if not redis.call("ZSCORE", KEYS[2], id) then orphans[id] = true end
		end
		look(redis.call("LRANGE", KEYS[3], 0, last))
		for i = 2, #KEYS do
			if i ~= 3 then look(redis.call("ZRANGE", KEYS[i], 0, last)) end
		end
		local n = 0
		for _ in pairs(orphans) do n = n + 1 end
		return n`)
}

// Orphans counts, by queue, entries that asynq will never work on: Redis lost a
// part of them. No message depends on them, since the ledger is the truth; they
// say that Redis loses data.
func Orphans(ctx context.Context, r redis.UniversalClient) (map[string]int, error) {
	script, found := countOrphans(), map[string]int{}
	for _, queue := range jobs.Queues() {
		of := func(part string) string { return "asynq:{" + queue + "}:" + part }
		keys := []string{of("active"), of("lease"), of("pending"), of("scheduled"), of("retry")}
		n, err := script.Run(ctx, r, keys, of("t:"), mostLooked).Int()
		if err != nil {
			return nil, fmt.Errorf("look for orphans in queue %s: %w", queue, err)
		}
		found[queue] = n
	}
	return found, nil
}
