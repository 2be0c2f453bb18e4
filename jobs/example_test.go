package jobs_test

import (
	"context"
	"fmt"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/hibiken/asynq"

	"rappel/jobs"
)

// A main app reports a booking after its own transaction has committed. A main
// app that is not written in Go, or that wants the report to be part of that
// transaction, inserts a row into rappel.events instead.
func ExampleClient_Report() {
	redis, err := miniredis.Run() // a main app uses the address of its own Redis
	if err != nil {
		fmt.Println(err)
		return
	}
	defer redis.Close()

	client := jobs.NewClient(asynq.RedisClientOpt{Addr: redis.Addr()})
	defer client.Close()

	id, err := client.Report(context.Background(), jobs.Booked, "0190c2a4-7d1e-7b3a-9c55-3f0f6a1d2b11", time.Now())
	fmt.Println(len(id), err)
	// Output: 36 <nil>
}
