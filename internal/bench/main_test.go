package bench_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"testing"
	"time"

	"rappel/internal/app"
	"rappel/internal/bench"
	"rappel/internal/config"
)

// TestMain lets this binary stand in for the program that starts itself again
// for each part of a benchmark.
func TestMain(m *testing.M) {
	if len(os.Args) > 3 && os.Args[1] == "bench" && os.Args[2] == "part" {
		if err := part(os.Args[3], os.Args[4:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func part(name string, flags []string) error {
	of := map[string]string{"--in-flight": "8"}
	for i := 0; i+1 < len(flags); i += 2 {
		of[flags[i]] = flags[i+1]
	}
	number := func(flag string) int { n, _ := strconv.Atoi(of[flag]); return n }
	return bench.RunPart(context.Background(), name, bench.PartOptions{
		DatabaseURL: os.Getenv("DATABASE_URL"), RedisURL: os.Getenv("REDIS_URL"),
		AdminURL: os.Getenv("RAPPEL_ADMIN_URL"), AdminToken: os.Getenv("RAPPEL_ADMIN_TOKEN"),
		Events: number("--events"), Batch: number("--batch"), InFlight: number("--in-flight"), Profile: of["--profile"],
		In: os.Stdin, Out: os.Stdout,
		Worker: func(stop <-chan struct{}) error { return runUntil(stop, app.Parts{Worker: true}) },
		Whole:  func(stop <-chan struct{}) error { return runUntil(stop, app.Parts{Worker: true, Scheduler: true}) },
	})
}

func runUntil(stop <-chan struct{}, parts app.Parts) error {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-stop
		cancel()
	}()
	cfg, err := config.Load(os.Getenv, config.Database|config.Redis|config.Delivery)
	if err != nil {
		return err
	}
	a, err := app.Open(ctx, app.Options{Config: cfg, Version: "test", Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		return err
	}
	defer a.Close()
	return a.Run(ctx, parts)
}
