// HTTP, and connections that come and go.
package main

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

func init() {
	rows["http_hello"] = row{httpHello, 4}
	rows["accept_churn"] = row{acceptChurn, 4}
}

// net/http answers; the client is by hand, as on the other peers.
func httpHello() float64 {
	const clients, times = 64, 200
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	must(err)
	server := &http.Server{Handler: http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) {
		// No type, as the others name none; the length and the date come by themselves.
		answer.Header()["Content-Type"] = nil
		_, err := io.WriteString(answer, "Hello, World!")
		must(err)
	})}
	go func() { _ = server.Serve(listener) }()
	streams := make([]net.Conn, clients)
	for i := range streams {
		streams[i], err = net.Dial("tcp4", listener.Addr().String())
		must(err)
	}
	request := []byte("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
	length := len("HTTP/1.1 200 OK\r\ncontent-length: 13\r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\nHello, World!")
	var ended sync.WaitGroup
	ended.Add(clients)
	start := time.Now()
	for _, stream := range streams {
		stream := stream
		go func() {
			buffer := make([]byte, length)
			for n := 0; n < times; n++ {
				_, err := stream.Write(request)
				must(err)
				_, err = io.ReadFull(stream, buffer)
				must(err)
				check(bytes.HasPrefix(buffer, []byte("HTTP/1.1 200 OK")), "the status")
				check(bytes.HasSuffix(buffer, []byte("Hello, World!")), "the body")
			}
			stream.Close()
			ended.Done()
		}()
	}
	ended.Wait()
	ns := perOperation(start, clients*times)
	must(server.Close())
	return ns
}

func acceptChurn() float64 {
	const clients, times = 4, 250
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	must(err)
	var servers, ended sync.WaitGroup
	servers.Add(clients * times)
	ended.Add(clients)
	start := time.Now()
	go func() {
		for i := 0; i < clients*times; i++ {
			stream, err := listener.Accept()
			must(err)
			go serve(stream, &servers)
		}
		listener.Close()
	}()
	for i := 0; i < clients; i++ {
		go func() {
			var one sync.WaitGroup
			for n := 0; n < times; n++ {
				stream, err := net.Dial("tcp4", listener.Addr().String())
				must(err)
				one.Add(1)
				ask(stream, 1, &one)
			}
			ended.Done()
		}()
	}
	ended.Wait()
	servers.Wait()
	return perOperation(start, clients*times)
}
