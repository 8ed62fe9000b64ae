// Command bench measures lighter against the same training written by hand in C++ (bench/bare) and in PyTorch, and against
// Python's Lighter, side by side, and prints one table: the median of all rounds, least and most in brackets. A ratio is the
// median of the rounds' ratios, so that a machine that slows down does so for both sides.
//
//	go run ./bench [-peer LIGHTER] [-rounds N] [ROW ...]
//
// The time of a step is taken from outside, alike for every program: the difference of the wall times of a long and a
// short run over the difference of their steps. Start-up cancels; what an epoch costs is part of its steps. The line
// "of all cores" is processor time, by the same rule.
// Programs run under a pseudo-terminal, so that their progress bars are on.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
)

func main() {
	flags := flag.NewFlagSet("bench", flag.ExitOnError)
	lighter := flags.String("lighter", "bin/lighter", "our program; empty leaves it out")
	peer := flags.String("peer", "", "Python's Lighter; empty leaves it out (bench/peer.sh sets it)")
	rounds := flags.Int("rounds", 5, "how often everything is measured")
	flags.Parse(os.Args[1:])

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *lighter, *peer, *rounds, flags.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, lighter, peer string, rounds int, only []string) error {
	rows, clean, err := prepare(lighter, peer)
	defer clean()
	if err != nil {
		return err
	}
	if len(only) > 0 {
		rows = slices.DeleteFunc(rows, func(r *row) bool {
			return !slices.ContainsFunc(only, func(s string) bool { return strings.Contains(r.name, s) })
		})
	}
	load, _ := os.ReadFile("/proc/loadavg")
	fmt.Fprintf(os.Stderr, "load before: %s", load)
	for round := range rounds {
		for _, r := range rows {
			fmt.Fprintf(os.Stderr, "\r\033[Kround %d of %d: %s", round+1, rounds, r.name)
			for side := range r.programs {
				if err := r.measure(ctx, side); err != nil {
					fmt.Fprintln(os.Stderr)
					return err
				}
			}
		}
	}
	fmt.Fprint(os.Stderr, "\r\033[K")
	return printTable(rows)
}

// prepare makes a folder for the runs and the rows, whose programs run in it. clean removes the folder.
func prepare(lighter, peer string) (rows []*row, clean func(), err error) {
	clean = func() {}
	paths := []string{lighter, "bin/bare", peer, "bench"}
	for i, p := range paths {
		if p == "" {
			continue
		}
		if paths[i], err = filepath.Abs(p); err != nil {
			return nil, clean, err
		}
		if _, err := os.Stat(p); errors.Is(err, fs.ErrNotExist) {
			return nil, clean, fmt.Errorf("%s is missing: use make bench or make bench-peer, in the repository's folder", p)
		}
	}
	dir, err := os.MkdirTemp("", "lighter-bench-")
	if err != nil {
		return nil, clean, err
	}
	clean = func() { os.RemoveAll(dir) }
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(paths[3], "peer"))); err != nil {
		return nil, clean, err
	}
	digits, err := os.ReadFile("internal/data/digits.bin")
	if err != nil {
		return nil, clean, err
	}
	if err := os.WriteFile(filepath.Join(dir, "digits.bin"), digits, 0o644); err != nil {
		return nil, clean, err
	}
	if err := makeTable(dir); err != nil {
		return nil, clean, err
	}
	if err := makePhotos(dir); err != nil {
		return nil, clean, err
	}
	return table(dir, paths[0], paths[1], paths[2], paths[3]), clean, nil
}

// Sides of a row.
const (
	ours = iota
	bare
	eager  // a loop by hand in PyTorch: peer/eager.py
	python // Python's Lighter
	sides
)

// table is what is measured.
func table(dir, lighter, bareLoop, peer, bench string) []*row {
	config := func(name string) string { return filepath.Join(bench, name) }
	mlp, cnn := config("mlp.yaml"), config("cnn.yaml")
	// command is nil when its binary is left out.
	command := func(binary string, short, long int, args ...string) *program {
		if binary == "" {
			return nil
		}
		return &program{dir: dir, binary: binary, args: args, short: short, long: long}
	}
	// PyTorch's interpreter lies beside Python's Lighter.
	torch := ""
	if peer != "" {
		torch = filepath.Join(filepath.Dir(peer), "python")
	}
	loop := func(what string, short, long int) *program {
		return command(torch, short, long, "eager.py", what, "%d")
	}
	// Python's Lighter has no step of its own and no data set: they are in peer/, as is our user code.
	step := "model::_target_=project.steps.Supervised"
	digits := "data::train_dataloader::dataset::_target_=project.steps.Digits"
	valDigits := "data::val_dataloader::dataset::_target_=project.steps.Digits"
	const epochs, format = "trainer::max_epochs=%d", "trainer::memory_format="
	// Steps of about 300 us. What a row costs has in it what computing its values costs.
	wide := []string{"fit", mlp, epochs, "data::train_dataloader::batch_size=256"}

	adam := "" // the optimizer alone, a program of its own
	if lighter != "" {
		adam = filepath.Join(filepath.Dir(lighter), "adam")
	}

	rows := []*row{
		{name: "MLP", unit: "us/step", scale: 1e6, stepsPerEpoch: 44, threads: 1, mostOfBare: 1.15, leastOfPeer: 8, programs: [sides]*program{
			command(lighter, 20, 420, "fit", mlp, epochs),
			command(bareLoop, 20, 420, "mlp", "digits.bin", "%d"), nil,
			command(peer, 2, 52, "fit", mlp, step, digits, valDigits, epochs)}},
		{name: "MLP in Starlark (bare: the built-in)", unit: "us/step", scale: 1e6, stepsPerEpoch: 44, threads: 1, mostOfBare: 1.3, programs: [sides]*program{
			command(lighter, 20, 420, "fit", mlp, epochs, step, "=model::network={_target_: project.steps.MLP, hidden: 128}"),
			command(lighter, 20, 420, "fit", mlp, epochs), nil, nil}},
		{name: "CNN contiguous", unit: "ms/step", scale: 1e3, stepsPerEpoch: 10, threads: 2, leastOfEager: 1, programs: [sides]*program{
			command(lighter, 1, 6, "fit", cnn, epochs, format+"contiguous"),
			command(bareLoop, 1, 6, "cnn", "%d"), loop("cnn", 1, 6),
			command(peer, 1, 6, "fit", cnn, step, epochs)}},
		{name: "CNN channels_last", unit: "ms/step", scale: 1e3, stepsPerEpoch: 10, threads: 2, leastOfEager: 1.3, leastOfPeer: 1.5, programs: [sides]*program{
			command(lighter, 1, 6, "fit", cnn, epochs, format+"channels_last"),
			command(bareLoop, 1, 6, "cnn", "%d", "channels_last"), nil, nil}},
		{name: "transformer", unit: "ms/step", scale: 1e3, stepsPerEpoch: 10, threads: 2, leastOfEager: 1, programs: [sides]*program{
			command(lighter, 1, 6, "fit", config("transformer.yaml"), epochs), nil, loop("transformer", 1, 6), nil}},
		{name: "LSTM", unit: "ms/step", scale: 1e3, stepsPerEpoch: 10, threads: 2, leastOfEager: 1, programs: [sides]*program{
			command(lighter, 1, 21, "fit", config("lstm.yaml"), epochs), nil, loop("lstm", 1, 21), nil}},
		{name: "logging each step (bare: no logger)", unit: "us/step", scale: 1e6, stepsPerEpoch: 6, threads: 1, mostOfBare: 1.02, programs: [sides]*program{
			command(lighter, 20, 1020, slices.Concat(wide, []string{"trainer::logger=true", "trainer::log_every_n_steps=1"})...),
			command(lighter, 20, 1020, slices.Concat(wide, []string{"trainer::logger=false"})...), nil, nil}},
		{name: "Adam, 200 tensors", unit: "us/step", scale: 1e6, stepsPerEpoch: 1, threads: 1, leastOfEager: 2, programs: [sides]*program{
			command(adam, 100, 5100, "%d"), nil, command(torch, 50, 1050, "adam.py", "%d"), nil}},
		{name: "--help", unit: "s", scale: 1, threads: 1, most: 0.25, programs: [sides]*program{
			command(lighter, 0, 0, "--help"), nil, nil,
			command(peer, 0, 0, "--help")}},
		{name: "completion", unit: "s", scale: 1, threads: 1, most: 0.25, programs: [sides]*program{
			command(lighter, 0, 0, "__complete", "fit", "--"), nil, nil, nil}},
		{name: "config error", unit: "s", scale: 1, threads: 1, most: 0.25, fails: true, programs: [sides]*program{
			command(lighter, 0, 0, "fit", mlp, "trainer::max_epoch=3"), nil, nil,
			command(peer, 0, 0, "fit", mlp, step, digits, valDigits, "trainer::max_epoch=3")}},
		{name: "fast_dev_run", unit: "s", scale: 1, threads: 1, most: 0.6, mostMB: 300, programs: [sides]*program{
			command(lighter, 0, 0, "fit", mlp, "trainer::fast_dev_run=true"), nil, nil,
			command(peer, 0, 0, "fit", mlp, step, digits, valDigits, "trainer::fast_dev_run=true")}},
	}
	rows = append(rows, csvRow(dir, lighter, torch, command))
	rows = append(rows, dataRows(lighter, command, torch, config)...)
	// There is one way to run Python's sides: both of our formats are compared with it.
	rows[3].reference = rows[2]
	return append(rows, photoRows(lighter, torch, config("photos.yaml"), command)...)
}

func printTable(rows []*row) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\tlighter\tbare libtorch\tlighter/bare\tPyTorch\tPyTorch/lighter\tPython's Lighter\tPython's/lighter\taim")
	line := func(name string, v, reference [sides][]float64, aim string) {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", name, summary(v[ours]), summary(v[bare]), summary(ratios(v[ours], v[bare])),
			summary(v[eager]), summary(ratios(reference[eager], v[ours])), summary(v[python]), summary(ratios(reference[python], v[ours])), aim)
	}
	for _, r := range rows {
		reference := cmp.Or(r.reference, r)
		line(r.name+", "+r.unit, r.wall, reference.wall, r.aims(reference))
		if r.stepsPerEpoch > 0 {
			line("  of all cores", r.cpu, reference.cpu, "")
		}
		if r.mostMB > 0 {
			line("  memory, MB", r.megabytes, r.megabytes, aimText(r.megabytes[ours], "<=", r.mostMB, ""))
		}
	}
	return w.Flush()
}
