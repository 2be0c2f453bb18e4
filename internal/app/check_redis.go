package app

import (
	"context"
	"fmt"

	"rappel/internal/queue"
)

// eachNode asks every Redis server that holds data, and names it where there
// are several.
func (a *App) eachNode(ctx context.Context, judge func(queue.Node) verdict) verdict {
	nodes, err := queue.Nodes(ctx, a.redis)
	if err != nil {
		return failed(fmt.Errorf("REDIS_URL: %w", err))
	}
	var all verdict
	for _, n := range nodes {
		v, whose := judge(n), ""
		if len(nodes) > 1 {
			whose = n.Addr + ": "
		}
		for _, line := range v.wrong {
			all.wrong = append(all.wrong, whose+line)
		}
		for _, line := range v.doubtful {
			all.doubtful = append(all.doubtful, whose+line)
		}
		all.fine = v.fine
	}
	if len(nodes) > 1 {
		all.fine += fmt.Sprintf(" (%d nodes)", len(nodes))
	}
	return all
}

func (a *App) checkRedis(ctx context.Context) verdict {
	v := a.eachNode(ctx, judgeNode)
	if len(v.wrong) > 0 {
		return v
	}
	if err := queue.LetsWait(ctx, a.redis); err != nil {
		v.doubtful = append(v.doubtful, fmt.Sprintf(
			"an idle worker may not wait for a task, and asks instead, which costs more: let its user BLMOVE on the lists asynq:{…}:pending (%v)", err))
	}
	return v
}

func judgeNode(n queue.Node) verdict {
	v := verdict{fine: "Redis " + n.Version + " answers"}
	if n.TLS {
		v.fine += ", over TLS"
	}
	if !n.AtLeast(6, 2) {
		v.wrong = []string{fmt.Sprintf("Redis %s is too old: 6.2 or newer is needed", n.Version)}
	}
	return v
}

func (a *App) checkEviction(ctx context.Context) verdict {
	return a.eachNode(ctx, judgePolicy)
}

func judgePolicy(n queue.Node) verdict {
	switch n.Policy {
	case "noeviction":
		return verdict{fine: "maxmemory-policy is noeviction"}
	case "":
		return verdict{doubtful: []string{"this Redis does not tell its maxmemory-policy; it must be noeviction"}}
	}
	return verdict{wrong: []string{"maxmemory-policy is " + n.Policy +
		": tasks would be dropped without a word: CONFIG SET maxmemory-policy noeviction, and set it in its configuration"}}
}

func (a *App) checkPersistence(ctx context.Context) verdict {
	return a.eachNode(ctx, judgePersistence)
}

func judgePersistence(n queue.Node) verdict {
	const lost = "no message is lost by it, they are in PostgreSQL, but an event told by task alone is, where no worker had taken it yet"
	switch {
	case n.Log:
		return verdict{fine: "Redis keeps an append-only file"}
	case n.Silent:
		return verdict{doubtful: []string{"Redis keeps no append-only file, and does not tell whether it takes snapshots: it may be empty after a restart; " + lost}}
	case n.Saves == "":
		return verdict{doubtful: []string{"Redis keeps neither an append-only file nor snapshots: it is empty after a restart; " + lost +
			": set appendonly yes, or tell events by rappel.events"}}
	}
	return verdict{fine: "Redis takes snapshots; an event told by task since the last one may be lost by a restart"}
}
