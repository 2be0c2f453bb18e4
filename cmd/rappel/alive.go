package main

import (
	"fmt"
	"net"
	"net/http"
	"time"

	"rappel/internal/app"
	"rappel/internal/config"
)

// aliveWithin is how long a process that lives may take to say so.
const aliveWithin = 3 * time.Second

// alive asks the process of this machine, as an image without a shell and
// without curl can. It does not ask what that process rests on: to restart it
// cures neither a database nor a provider.
func (c checkCommand) alive(e *env) error {
	cfg, err := config.Load(e.getenv, config.Listen)
	if err != nil {
		return err
	}
	at := fromHere(cfg.HTTPAddr)
	finding := app.Finding{Check: "alive", Result: app.OK, Detail: "the process at " + at + " answers"}
	if err := answers(e, "http://"+at+"/healthz"); err != nil {
		finding.Result, finding.Detail = app.Fail, err.Error()
	}
	if err := c.print(e, finding); err != nil {
		return err
	}
	if finding.Result != app.OK {
		return errFailed
	}
	return nil
}

// fromHere is how this machine reaches an address at which something listens.
func fromHere(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr // config has looked at it
	}
	switch ip := net.ParseIP(host); {
	case host == "" || ip.Equal(net.IPv4zero):
		host = "127.0.0.1"
	case ip.Equal(net.IPv6zero):
		host = "::1"
	}
	return net.JoinHostPort(host, port)
}

func answers(e *env, url string) error {
	req, err := http.NewRequestWithContext(e.ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	client := &http.Client{Timeout: aliveWithin}
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("no answer: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %d", url, res.StatusCode)
	}
	return nil
}
