// The further rows that Go has.
package main

import (
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func init() {
	rows["fan_out"] = row{fanOut, 4}
	rows["burst_p50"] = row{func() float64 { return burst(0.5) }, 1}
	rows["burst_p999"] = row{func() float64 { return burst(0.999) }, 1}
	rows["timer_storm"] = row{timerStorm, 4}
	rows["poison_p99"] = row{poison, 1}
	rows["idle_cpu"] = row{func() float64 { return atRest().cpu.Seconds() * 1e6 }, 1}
	rows["idle_switches"] = row{func() float64 { return atRest().switches }, 1}
	rows["wake_1000_cpu"] = row{func() float64 { return woken().cpu.Seconds() * 1e3 }, 1}
	rows["wake_1000_switches"] = row{func() float64 { return woken().switches / 1000 }, 1}
}

func fanOut() float64 {
	const tasks, times = 64, 500
	answers := make(chan uint64, tasks)
	var jobs []chan uint64
	for i := 0; i < tasks; i++ {
		job := make(chan uint64, 1)
		jobs = append(jobs, job)
		go func() {
			for n := range job {
				answers <- n + 1
			}
		}()
	}
	start := time.Now()
	for n := uint64(0); n < times; n++ {
		for _, job := range jobs {
			job <- n
		}
		for range jobs {
			check(<-answers == n+1, "the answer")
		}
	}
	ns := perOperation(start, times*tasks)
	for _, job := range jobs {
		close(job)
	}
	return ns
}

// The share of the figures that is below the result, in microseconds.
func share(of []time.Duration, share float64) float64 {
	sort.Slice(of, func(a, b int) bool { return of[a] < of[b] })
	return float64(of[int(float64(len(of)-1)*share)].Nanoseconds()) / 1000
}

func burst(of float64) float64 {
	const tasks, times = 200, 150
	base := time.Now()
	done := make(chan struct{}, tasks)
	late := make([][]time.Duration, tasks)
	var wakers []chan time.Duration
	var ended sync.WaitGroup
	ended.Add(tasks)
	for i := 0; i < tasks; i++ {
		i, wake := i, make(chan time.Duration, 1)
		wakers = append(wakers, wake)
		go func() {
			for then := range wake {
				late[i] = append(late[i], time.Since(base)-then)
				done <- struct{}{}
			}
			ended.Done()
		}()
	}
	for n := 0; n < times; n++ {
		time.Sleep(2 * time.Millisecond)
		for _, wake := range wakers {
			wake <- time.Since(base)
		}
		for range wakers {
			<-done
		}
	}
	for _, wake := range wakers {
		close(wake)
	}
	ended.Wait()
	var all []time.Duration
	for _, one := range late {
		all = append(all, one...)
	}
	return share(all, of)
}

func timerStorm() float64 {
	const tasks = 20000
	waiting := int64(0)
	var ended sync.WaitGroup
	ended.Add(tasks)
	start := time.Now()
	givers := make([]chan uint64, tasks)
	for n := range givers {
		n, giver := n, make(chan uint64, 1)
		givers[n] = giver
		go func() {
			limit := time.NewTimer(time.Duration(20000+n*2) * time.Millisecond)
			atomic.AddInt64(&waiting, 1)
			select {
			case <-giver:
			case <-limit.C:
				check(false, "nothing came in time")
			}
			limit.Stop()
			ended.Done()
		}()
	}
	for atomic.LoadInt64(&waiting) < tasks {
		time.Sleep(0)
	}
	for _, giver := range givers {
		giver <- 1
	}
	ended.Wait()
	return perOperation(start, tasks)
}

// time.Sleep blocks no thread: what blocks here is the system's own call.
func poison() float64 {
	const tasks, times, nap = 100, 100, 5 * time.Millisecond
	var end int32
	go func() {
		for atomic.LoadInt32(&end) == 0 {
			block := syscall.NsecToTimespec((50 * time.Millisecond).Nanoseconds())
			_ = syscall.Nanosleep(&block, nil)
			time.Sleep(20 * time.Millisecond)
		}
	}()
	late := make([][]time.Duration, tasks)
	var ended sync.WaitGroup
	ended.Add(tasks)
	for i := range late {
		i := i
		go func() {
			for n := 0; n < times; n++ {
				start := time.Now()
				time.Sleep(nap)
				late[i] = append(late[i], time.Since(start)-nap)
			}
			ended.Done()
		}()
	}
	ended.Wait()
	atomic.StoreInt32(&end, 1)
	var all []time.Duration
	for _, one := range late {
		all = append(all, one...)
	}
	return share(all, 0.99)
}

// What the process has used up.
type used struct {
	cpu      time.Duration
	switches float64
}

func cpuNow() time.Duration {
	var usage syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func switchesNow() float64 {
	threads, err := filepath.Glob("/proc/self/task/*/status")
	must(err)
	switches := 0.0
	for _, thread := range threads {
		// A thread that has ended since is counted no more.
		status, _ := os.ReadFile(thread)
		for _, line := range strings.Split(string(status), "\n") {
			if _, count, found := strings.Cut(line, "ctxt_switches:"); found {
				count, err := strconv.ParseFloat(strings.TrimSpace(count), 64)
				must(err)
				switches += count
			}
		}
	}
	return switches
}

// What is used up while the span lasts. Looking at the threads is not part of it.
func during(span func()) used {
	switches := switchesNow()
	cpu := cpuNow()
	span()
	return used{cpuNow() - cpu, switchesNow() - switches}
}

func atRest() used {
	for i := 0; i < 1000; i++ {
		go time.Sleep(time.Hour)
	}
	time.Sleep(300 * time.Millisecond)
	return during(func() { time.Sleep(time.Second) })
}

func woken() used {
	time.Sleep(50 * time.Millisecond)
	return during(func() {
		start := time.Now()
		for n := 1; n <= 1000; n++ {
			time.Sleep(time.Until(start.Add(time.Duration(n) * time.Millisecond)))
		}
	})
}
