package chaos_test

import "time"

// A scenario is one way in which things go wrong.
type scenario struct {
	name      string
	store     storeKind
	shutdown  time.Duration // RAPPEL_SHUTDOWN_TIMEOUT, from which a claim's length follows
	mood      func() mood   // of the endpoint, where no fault says otherwise
	faults    []fault       // side by side
	forgetful bool          // Redis may forget events that were told by task alone
	skew      time.Duration // how far clocks may be off
	clean     bool          // whoever is asked to stop must do so in time, and exit with 0
	prompt    bool          // what the dead worker held must be in hand again within half a minute
}

const second = time.Second

// scenarios is the whole campaign.
func scenarios() []scenario {
	all := []scenario{
		{name: "nothing goes wrong", clean: true},
		{name: "the endpoint fails in every way", faults: []fault{
			inTurn(within(30*second, feel(foulest)), within(5*second, feel(strange)), within(5*second, feel(away))),
		}},
		{name: "one worker killed", mood: leisurely, prompt: true, faults: []fault{once(10*second, killWorker)}},
		{name: "workers killed, one after the other", mood: leisurely, faults: []fault{every(2*second, 5*second, killWorker)}},
		{name: "workers frozen past their claims", mood: leisurely, shutdown: 10 * second, faults: []fault{
			every(second, 2*second, freezeWorker(5*second, 11*second)), every(second, 2*second, freezeWorker(5*second, 11*second)),
		}},
		{name: "schedulers killed and frozen", faults: []fault{
			every(second, 4*second, killScheduler), every(4*second, 8*second, freezeScheduler(5*second, 15*second)),
		}},
		{name: "Redis emptied", mood: leisurely, forgetful: true, faults: []fault{every(second, 4*second, emptyRedis)}},
		{name: "Redis restarted", mood: leisurely, forgetful: true, faults: []fault{every(3*second, 8*second, restartRedis(0, 5*second))}},
		{name: "PostgreSQL restarted at once", mood: leisurely, faults: []fault{every(3*second, 8*second, restartPostgres(0, 4*second))}},
		{name: "the network cut, slow and silent", faults: []fault{
			every(second, 3*second, disturb(second, 5*second, toDatabase)),
			every(second, 3*second, disturb(second, 5*second, toRedis)),
			every(second, 3*second, disturb(second, 5*second, toEndpoint)),
		}},
		{name: "rolling restarts under load", mood: leisurely, clean: true, faults: []fault{every(0, second, roll)}},
		{name: "clocks that jump, late sweeps", skew: 90 * second, faults: []fault{
			every(second, 3*second, skewClock), mendClocks,
			every(2*second, 5*second, sweepAt), every(5*second, 10*second, sweepByHand), every(8*second, 15*second, killScheduler),
		}},
		{name: "everything at once", mood: leisurely, forgetful: true, shutdown: 10 * second, faults: []fault{
			within(35*second, feel(foul)),
			every(2*second, 6*second, anyOf(killWorker, killScheduler, freezeWorker(2*second, 9*second))),
			every(5*second, 10*second, anyOf(emptyRedis, restartRedis(0, 2*second))),
			every(8*second, 15*second, restartPostgres(0, 2*second)),
			every(2*second, 6*second, disturb(second, 3*second, toDatabase, toRedis, toEndpoint)),
			every(15*second, 20*second, killAll),
			every(5*second, 10*second, sweepByHand),
		}},
		{name: "Redis Sentinel, failing over", store: watched, forgetful: true, faults: []fault{
			once(10*second, failOver(8*second)), every(4*second, 8*second, killWorker),
		}},
		{name: "Redis Cluster, a node restarted", store: clustered, forgetful: true, faults: []fault{
			every(6*second, 10*second, restartNode(0, 4*second)), every(4*second, 8*second, killWorker),
		}},
	}
	for i := range all {
		all[i].complete()
	}
	return all
}

// complete fills in what a scenario does not say.
func (s *scenario) complete() {
	if s.shutdown == 0 {
		s.shutdown = 25 * second
	}
	if s.mood == nil {
		s.mood = calm
	}
}

// whole is how much goes on in each scenario of the campaign.
func whole() size {
	return size{events: 2000, families: 150, span: 45 * second, workers: 3, schedulers: 2, drain: 5 * time.Minute}
}

// short is a little of most things, for every run of the tests.
func short() (scenario, size) {
	s := scenario{name: "short form", shutdown: 5 * second, forgetful: true, faults: []fault{
		within(3*second, feel(foul)),
		inTurn(once(second/2, killWorker), once(second/2, emptyRedis), once(second/2, restartPostgres(0, 0)),
			once(second/2, killScheduler), once(second/2, restartRedis(0, second/2)), once(0, renewWorker)),
		within(5*second, every(second/2, second, disturb(second/10, second, toDatabase, toRedis, toEndpoint))),
		within(3*second, freezeWorker(3*second, 3*second)),
		every(2*second, 3*second, sweepByHand),
	}}
	s.complete()
	return s, size{events: 250, families: 30, span: 6 * second, workers: 2, schedulers: 2, drain: 3 * time.Minute}
}
