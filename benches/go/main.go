// The rows that Go has, written as a Go programmer would: goroutines, channels, WaitGroup, sync.Mutex, net.
//
// rows ROW prints the figure of one row, in the unit of the table, measured as on the other peers: one round to warm up, and
// the median of three more.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

type row struct {
	measure func() float64
	rounds  int
}

var rows = map[string]row{
	"spawn_join":     {spawnJoin, 4},
	"spawn_detached": {spawnDetached, 4},
	"yield":          {yields, 4},
	"tree":           {tree, 4},
	"skynet":         {skynet, 3},
	"ping_pong_one":  {pingPongOne, 4},
	"channel_1_1":    {func() float64 { return manyToOne(1, 200000) }, 4},
	"channel_4_1":    {func() float64 { return manyToOne(4, 50000) }, 4},
	"mutex":          {mutex, 4},
	"mem_idle":       {memIdle, 1},
	"two_busy":       {twoBusy, 2},
	"echo_1":         {func() float64 { return echo(1, 5000) }, 4},
	"echo_64":        {func() float64 { return echo(64, 400) }, 4},
	"echo_1000":      {func() float64 { return echo(1000, 30) }, 4},
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "rows ROW")
		os.Exit(2)
	}
	row, ok := rows[os.Args[1]]
	if !ok {
		fmt.Fprintln(os.Stderr, "no row is called", os.Args[1])
		os.Exit(2)
	}
	var figures []float64
	for round := 0; round < row.rounds; round++ {
		done := make(chan float64)
		go func() { done <- row.measure() }()
		figures = append(figures, <-done)
	}
	if row.rounds > 1 {
		figures = figures[1:]
	}
	sort.Float64s(figures)
	fmt.Println(figures[len(figures)/2])
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func check(holds bool, what string) {
	if !holds {
		fmt.Fprintln(os.Stderr, "wrong:", what)
		os.Exit(1)
	}
}

func perOperation(start time.Time, operations int) float64 {
	return float64(time.Since(start).Nanoseconds()) / float64(operations)
}

// A goroutine has no handle: each closes a channel of its own, and those are awaited in order.
func spawnJoin() float64 {
	start := time.Now()
	handles := make([]chan struct{}, 0, 10000)
	for i := 0; i < 10000; i++ {
		done := make(chan struct{})
		go func() { close(done) }()
		handles = append(handles, done)
	}
	for _, done := range handles {
		<-done
	}
	return perOperation(start, 10000)
}

func spawnDetached() float64 {
	left := int64(10000)
	done := make(chan struct{}, 1)
	start := time.Now()
	for i := 0; i < 10000; i++ {
		go func() {
			if atomic.AddInt64(&left, -1) == 0 {
				done <- struct{}{}
			}
		}()
	}
	<-done
	return perOperation(start, 10000)
}

func yields() float64 {
	var all sync.WaitGroup
	start := time.Now()
	all.Add(200)
	for i := 0; i < 200; i++ {
		go func() {
			for n := 0; n < 1000; n++ {
				runtime.Gosched()
			}
			all.Done()
		}()
	}
	all.Wait()
	return perOperation(start, 200000)
}

func node(n uint64, result chan<- uint64) {
	if n < 2 {
		result <- n
		return
	}
	children := make(chan uint64, 2)
	go node(n-1, children)
	go node(n-2, children)
	result <- <-children + <-children
}

func tree() float64 {
	start := time.Now()
	result := make(chan uint64, 1)
	go node(20, result)
	check(<-result == 6765, "fib(20)")
	return perOperation(start, 21891)
}

func leaves(number, size uint64, result chan<- uint64) {
	if size == 1 {
		result <- number
		return
	}
	part := size / 10
	children := make(chan uint64, 10)
	for child := uint64(0); child < 10; child++ {
		go leaves(number+child*part, part, children)
	}
	sum := uint64(0)
	for child := 0; child < 10; child++ {
		sum += <-children
	}
	result <- sum
}

func skynet() float64 {
	start := time.Now()
	result := make(chan uint64, 1)
	go leaves(0, 1000000, result)
	check(<-result == 499999500000, "the sum of the leaves")
	return perOperation(start, 1111111)
}

func pingPongOne() float64 {
	start := time.Now()
	ping, pong := make(chan uint64, 1), make(chan uint64, 1)
	done := make(chan struct{})
	go func() {
		for n := range ping {
			pong <- n + 1
		}
		close(done)
	}()
	for n := uint64(0); n < 5000; n++ {
		ping <- n
		check(<-pong == n+1, "the answer")
	}
	close(ping)
	<-done
	return perOperation(start, 5000)
}

func manyToOne(senders, each uint64) float64 {
	channel := make(chan uint64, 256)
	var all sync.WaitGroup
	start := time.Now()
	all.Add(int(senders))
	for i := uint64(0); i < senders; i++ {
		go func() {
			for n := uint64(0); n < each; n++ {
				channel <- n
			}
			all.Done()
		}()
	}
	go func() {
		all.Wait()
		close(channel)
	}()
	sum := uint64(0)
	for n := range channel {
		sum += n
	}
	check(sum == senders*(each*(each-1)/2), "the sum of what was sent")
	return perOperation(start, int(senders*each))
}

func mutex() float64 {
	var lock sync.Mutex
	var sum uint64
	var all sync.WaitGroup
	start := time.Now()
	all.Add(16)
	for i := 0; i < 16; i++ {
		go func() {
			for n := 0; n < 2000; n++ {
				lock.Lock()
				sum++
				lock.Unlock()
			}
			all.Done()
		}()
	}
	all.Wait()
	ns := perOperation(start, 32000)
	check(sum == 32000, "the sum under the lock")
	return ns
}

func resident() float64 {
	statm, err := os.ReadFile("/proc/self/statm")
	must(err)
	pages, err := strconv.ParseFloat(strings.Fields(string(statm))[1], 64)
	must(err)
	return pages * float64(os.Getpagesize())
}

func memIdle() float64 {
	const tasks = 500000
	before := resident()
	for i := 0; i < tasks; i++ {
		go time.Sleep(time.Hour)
	}
	for i := 0; i < 10; i++ {
		time.Sleep(20 * time.Millisecond)
	}
	return (resident() - before) / tasks
}

func twoBusy() float64 {
	const rounds = 200
	done := make(chan struct{}, 2)
	var starts []chan struct{}
	for i := 0; i < 2; i++ {
		begin := make(chan struct{}, 1)
		starts = append(starts, begin)
		go func() {
			for range begin {
				start := time.Now()
				for time.Since(start) < time.Millisecond {
				}
				done <- struct{}{}
			}
		}()
	}
	start := time.Now()
	for round := 0; round < rounds; round++ {
		for _, begin := range starts {
			begin <- struct{}{}
		}
		<-done
		<-done
	}
	us := perOperation(start, rounds) / 1000
	for _, begin := range starts {
		close(begin)
	}
	return us
}

func serve(stream net.Conn, ended *sync.WaitGroup) {
	buffer := make([]byte, 64)
	for {
		if _, err := io.ReadFull(stream, buffer); err != nil {
			break
		}
		_, err := stream.Write(buffer)
		must(err)
	}
	stream.Close()
	ended.Done()
}

func ask(stream net.Conn, roundTrips int, ended *sync.WaitGroup) {
	buffer := make([]byte, 64)
	for n := 0; n < roundTrips; n++ {
		_, err := stream.Write(buffer)
		must(err)
		_, err = io.ReadFull(stream, buffer)
		must(err)
	}
	stream.Close()
	ended.Done()
}

// Go sets TCP_NODELAY by itself.
func echo(connections, roundTrips int) float64 {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	must(err)
	var servers, clients sync.WaitGroup
	servers.Add(connections)
	go func() {
		for i := 0; i < connections; i++ {
			stream, err := listener.Accept()
			must(err)
			go serve(stream, &servers)
		}
		listener.Close()
	}()
	streams := make([]net.Conn, connections)
	for i := range streams {
		streams[i], err = net.Dial("tcp4", listener.Addr().String())
		must(err)
	}
	clients.Add(connections)
	start := time.Now()
	for _, stream := range streams {
		go ask(stream, roundTrips, &clients)
	}
	clients.Wait()
	ns := perOperation(start, connections*roundTrips)
	servers.Wait()
	return ns
}
