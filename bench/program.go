package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// program is a command line; "%d" in it stands for the number of epochs. short and long are the epochs of the two runs
// whose difference is measured; both zero: one run's whole time is. A program with read says itself what is measured, in seconds or
// in the row's unit, at the end of its output.
type program struct {
	dir, binary string
	args        []string
	short, long int
	read        func(output string) (float64, error)
}

// usage is what a run took. cpu counts every thread, so it says what wall time hides behind a second core, and changes
// little when other programs want the processor.
type usage struct {
	wall, cpu time.Duration
	megabytes float64 // peak resident memory
	output    string  // its end
}

// measure runs the row's program of one side once (or its two runs) and notes what it took.
func (r *row) measure(ctx context.Context, side int) error {
	p := r.programs[side]
	if p == nil {
		return nil
	}
	u, err := p.run(ctx, p.long, r.threads, r.fails)
	if err != nil {
		return err
	}
	if p.read != nil {
		v, err := p.read(u.output)
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		r.wall[side] = append(r.wall[side], v*r.scale)
		return nil
	}
	scale := r.scale
	if p.long > 0 {
		short, err := p.run(ctx, p.short, r.threads, r.fails)
		if err != nil {
			return err
		}
		u.wall, u.cpu = u.wall-short.wall, u.cpu-short.cpu
		scale /= float64((p.long - p.short) * r.stepsPerEpoch)
	}
	r.wall[side] = append(r.wall[side], u.wall.Seconds()*scale)
	r.cpu[side] = append(r.cpu[side], u.cpu.Seconds()*scale)
	r.megabytes[side] = append(r.megabytes[side], u.megabytes)
	return nil
}

// run starts the program under a pseudo-terminal and waits for its end.
func (p *program) run(ctx context.Context, epochs, threads int, fails bool) (usage, error) {
	terminal, screen, err := openTerminal()
	if err != nil {
		return usage{}, fmt.Errorf("open a pseudo-terminal: %w", err)
	}
	defer screen.Close()
	args := make([]string, len(p.args))
	for i, a := range p.args {
		args[i] = strings.ReplaceAll(a, "%d", strconv.Itoa(epochs))
	}
	cmd := exec.CommandContext(ctx, p.binary, args...)
	n := strconv.Itoa(threads)
	cmd.Env = append(os.Environ(), "OMP_NUM_THREADS="+n, "MKL_NUM_THREADS="+n, "TERM=xterm-256color")
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = p.dir, terminal, terminal, terminal
	start := time.Now()
	if err := cmd.Start(); err != nil {
		terminal.Close()
		return usage{}, err
	}
	terminal.Close()
	seen := make(chan string)
	go func() { seen <- lastOf(screen, 20000) }()
	err = cmd.Wait()
	took := time.Since(start)
	tail := <-seen
	if ctx.Err() != nil {
		return usage{}, ctx.Err()
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return usage{}, err
	}
	if fails == (err == nil) {
		return usage{}, fmt.Errorf("%s: %v, which was not expected:\n%s", cmd, cmd.ProcessState, tail[max(0, len(tail)-2000):])
	}
	state := cmd.ProcessState
	peak := state.SysUsage().(*syscall.Rusage).Maxrss
	return usage{wall: took, cpu: state.UserTime() + state.SystemTime(), megabytes: float64(peak) / 1024, output: tail}, nil
}

// lastOf reads to the end and returns at most the last n bytes.
func lastOf(r io.Reader, n int) string {
	var tail []byte
	buf := make([]byte, 1<<16)
	for {
		m, err := r.Read(buf)
		tail = append(tail, buf[:m]...)
		tail = tail[max(0, len(tail)-n):]
		if err != nil { // EIO when the last writer has closed the terminal
			return string(tail)
		}
	}
}

// openTerminal makes a pseudo-terminal of 120 columns: programs write to terminal, what they wrote is read from screen.
func openTerminal() (terminal, screen *os.File, err error) {
	if screen, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		return nil, nil, err
	}
	fd := int(screen.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 40, Col: 120})
	}
	if err == nil {
		terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		screen.Close()
		return nil, nil, err
	}
	return terminal, screen, nil
}
