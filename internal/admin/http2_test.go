package admin_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"rappel/jobs/deliver"
)

// TestAMessageThatHTTP2SaysNobodySawIsSentAgainAtOnce: a server that goes away
// says which requests it has not looked at.
func TestAMessageThatHTTP2SaysNobodySawIsSentAgainAtOnce(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.EnableHTTP2 = true
	server.StartTLS() // for its certificate
	t.Cleanup(server.Close)
	config := server.TLS.Clone()
	config.NextProtos = []string{"h2"}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan int, 1)
	go func() {
		requests := 0
		defer func() { served <- requests }()
		for goAway := true; ; goAway = false {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			requests += talkHTTP2(t, conn, goAway)
		}
	}()
	c := client(t, "https://"+listener.Addr().String())
	c.Transport().TLSClientConfig = &tls.Config{RootCAs: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
	if got := c.Send(within(t), sms(t)); got.Verdict != deliver.Accepted {
		t.Errorf("%+v", got)
	}
	c.Transport().CloseIdleConnections()
	listener.Close()
	if n := <-served; n != 2 {
		t.Errorf("%d requests, want the one that nobody looked at and its repeat", n)
	}
}

// talkHTTP2 answers the requests of a connection, or goes away at the first, which
// it says it has not seen. It returns how many came.
func talkHTTP2(t *testing.T, conn net.Conn, goAway bool) (requests int) {
	t.Helper()
	defer conn.Close()
	if _, err := io.ReadFull(conn, make([]byte, len(http2.ClientPreface))); err != nil {
		t.Error(err)
		return 0
	}
	framer := http2.NewFramer(conn, conn)
	if err := framer.WriteSettings(); err != nil {
		t.Error(err)
		return 0
	}
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return requests
		}
		switch f := frame.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				err = framer.WriteSettingsAck()
			}
		case *http2.HeadersFrame:
			if requests++; goAway {
				err = framer.WriteGoAway(0, http2.ErrCodeNo, nil)
				break
			}
			err = framer.WriteHeaders(http2.HeadersFrameParam{
				StreamID: f.StreamID, BlockFragment: accepted(), EndHeaders: true, EndStream: true,
			})
		}
		if err != nil {
			t.Error(errors.Join(errors.New("the test's server"), err))
			return requests
		}
	}
}

// accepted is the headers of a 202.
func accepted() []byte {
	var block writer
	_ = hpack.NewEncoder(&block).WriteField(hpack.HeaderField{Name: ":status", Value: "202"})
	return block
}

type writer []byte

func (w *writer) Write(p []byte) (int, error) {
	*w = append(*w, p...)
	return len(p), nil
}
