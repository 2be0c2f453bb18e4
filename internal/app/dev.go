package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"rappel/internal/config"
	"rappel/internal/dev"
	"rappel/internal/queue"
	"rappel/jobs"
)

// DevOptions are what Dev is run with.
type DevOptions struct {
	Config  config.Config // what is not given is made up
	Version string
	Log     *slog.Logger
	Out     io.Writer // what people read
	Now     time.Time // what the demo's clock shows at first; zero: the time it is
	// Ready is told where the page is once it is there; it may be nil.
	Ready func(page string)
}

// Where rappel dev listens unless told otherwise: the page, and beside it the
// ops server, which takes any free port if this one is taken.
const (
	devAddr    = config.DefaultHTTPAddr
	devOpsAddr = "127.0.0.1:8081"
)

// Dev runs everything in one process on throw-away services, with a sample
// practice and a stand-in for the main app, until ctx is done. It leaves
// nothing behind.
func Dev(ctx context.Context, o DevOptions) (err error) {
	if o.Config.HTTPAddr == "" {
		o.Config.HTTPAddr = devAddr
	}
	if !config.Loopback(o.Config.HTTPAddr) {
		return errors.New("RAPPEL_HTTP_ADDR: rappel dev has no password, and so listens on a loopback address only, such as " + devAddr)
	}
	listener, err := listenForDev(ctx, o.Config.HTTPAddr)
	if err != nil {
		return err
	}
	d := &demo{DevOptions: o, listener: listener}
	defer func() { err = errors.Join(err, d.stop(ctx)) }()
	if err = d.prepare(ctx); err == nil {
		err = d.run(ctx)
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil // told to stop before it had begun
	}
	return err
}

func listenForDev(ctx context.Context, addr string) (net.Listener, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is taken by another program: stop that, or choose another address, such as RAPPEL_HTTP_ADDR=127.0.0.1:8090", addr)
	}
	if err != nil {
		return nil, fmt.Errorf("RAPPEL_HTTP_ADDR: %w", err)
	}
	return l, nil
}

// A demo is one run of Dev.
type demo struct {
	DevOptions

	listener net.Listener
	services *dev.Services
	clock    *dev.Clock
	mainApp  *dev.MainApp
	app      *App
	reporter *jobs.Client
	page     *dev.Page
	server   *http.Server
	serving  sync.WaitGroup
}

// url is where the page is.
func (d *demo) url() string { return "http://" + d.listener.Addr().String() }

// prepare starts and fills what Run needs. What it has started stop ends, also
// after an error.
func (d *demo) prepare(ctx context.Context) (err error) {
	d.say("rappel dev: a practice to play with.\n\n")
	c := &d.Config
	if err := refuseForeign(ctx, *c); err != nil {
		return err
	}
	d.services, err = dev.StartServices(ctx, dev.ServiceOptions{
		DatabaseURL: c.DatabaseURL.Reveal(), RedisURL: c.RedisURL.Reveal(), PostgresBin: c.PostgresBin,
	})
	if err != nil {
		return err
	}
	d.say("  PostgreSQL  %s\n  Redis       %s\n", d.services.Database, d.services.Redis)
	if d.Now.IsZero() {
		d.Now = time.Now()
	}
	d.clock = dev.NewClock(d.Now)
	d.mainApp = dev.NewMainApp(dev.MainAppOptions{Now: d.clock.Now})
	c.DatabaseURL, c.RedisURL = config.Secret(d.services.DatabaseURL), config.Secret(d.services.RedisURL)
	c.AdminURL, c.AdminToken = d.url()+dev.AdminPath, config.Secret(d.mainApp.Token())
	ops, err := listenAnywhere(ctx)
	if err != nil {
		return err
	}
	// Nothing leaves this machine, whatever the shell is set up for. What people
	// answer comes in as from Twilio, signed with a token of this run.
	c.SMSVia, c.EmailVia = config.ViaAdmin, config.ViaAdmin
	c.Twilio, c.PublicURL = config.Twilio{AuthToken: config.Secret(rand.Text())}, "http://"+ops.Addr().String()
	if d.app, err = Open(ctx, Options{Config: *c, Version: d.Version, Log: d.Log, Now: d.clock.Now, OpsListener: ops}); err != nil {
		return err
	}
	if _, err := d.app.Migrate(ctx, nil); err != nil {
		return err
	}
	if err := dev.Seed(ctx, d.services.DatabaseURL, d.clock.Now()); err != nil {
		return err
	}
	d.clock.OnAdvance(d.catchUp)
	return d.open(ctx)
}

// refuseForeign keeps the demo away from services that somebody uses: the shell
// that rappel dev is typed into may have their URLs.
func refuseForeign(ctx context.Context, c config.Config) error {
	if url := c.DatabaseURL.Reveal(); url != "" {
		if err := dev.RefuseForeign(ctx, url); err != nil {
			return err
		}
	}
	if url := c.RedisURL.Reveal(); url != "" {
		return queue.RefuseBusy(url)
	}
	return nil
}

// listenAnywhere listens for the ops server, from now on: a port that is only
// seen to be free may be gone when it is wanted.
func listenAnywhere(ctx context.Context) (net.Listener, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", devOpsAddr)
	if err != nil {
		l, err = config.Listen(ctx, "tcp", "127.0.0.1:0")
	}
	if err != nil {
		return nil, fmt.Errorf("no port for the ops server: %w", err)
	}
	return l, nil
}

// catchUp does at once what the next ticks would do after the clock has been
// turned on.
func (d *demo) catchUp(ctx context.Context) error {
	if _, err := d.app.Sweep(ctx, time.Time{}); err != nil {
		return err
	}
	_, err := d.app.Reconcile(ctx, 0)
	return err
}

// open opens the page.
func (d *demo) open(ctx context.Context) (err error) {
	d.reporter = jobs.NewClient(d.app.opt)
	d.page, err = dev.NewPage(ctx, dev.PageOptions{
		DatabaseURL: d.services.DatabaseURL, Reporter: d.reporter, Clock: d.clock, MainApp: d.mainApp,
		Carrier: dev.Carrier{InboundURL: d.app.public(twilioInbound), AuthToken: d.Config.Twilio.AuthToken.Reveal()},
		OpsURL:  "http://" + d.app.opsListener.Addr().String() + "/", Version: d.Version, Zones: d.app.zones, Log: d.Log,
	})
	if err != nil {
		return err
	}
	d.server = &http.Server{
		Handler: d.page.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, IdleTimeout: time.Minute,
		ErrorLog: slog.NewLogLogger(d.Log.Handler(), slog.LevelDebug),
	}
	d.serving.Go(func() {
		if err := d.server.Serve(d.listener); !errors.Is(err, http.ErrServerClosed) {
			d.Log.ErrorContext(ctx, "the page has stopped", "error", err)
		}
	})
	return nil
}

// run runs worker, scheduler and ops server until ctx is done.
func (d *demo) run(ctx context.Context) error {
	d.say("  Worker, scheduler and a stand-in for the main app  in this process\n\n"+
		"  Open        %s\n  Operators   http://%s/\n\nCtrl-C ends all of it and keeps nothing. RAPPEL_LOG_LEVEL=info shows what is decided.\n",
		d.url(), d.app.opsListener.Addr().String())
	if d.Ready != nil {
		d.Ready(d.url())
	}
	return d.app.Run(ctx, Parts{Worker: true, Scheduler: true})
}

// stop ends what was started, the last first.
func (d *demo) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.Config.ShutdownTimeout)
	defer cancel()
	var errs []error
	if d.server != nil {
		errs = append(errs, d.server.Shutdown(ctx))
		d.serving.Wait()
	} else {
		errs = append(errs, d.listener.Close())
	}
	if d.page != nil {
		d.page.Close()
	}
	if d.reporter != nil {
		errs = append(errs, d.reporter.Close())
	}
	if d.app != nil {
		d.app.Close()
	}
	if d.services != nil {
		errs = append(errs, d.services.Stop())
	}
	return errors.Join(errs...)
}

func (d *demo) say(format string, args ...any) {
	fmt.Fprintf(d.Out, format, args...)
}
