package main

import (
	"errors"
	"path/filepath"
	"regexp"
	"strconv"
)

// dataRows are what loading data costs: batches alone, against PyTorch's DataLoader at the number of workers that is best for it, and
// the part of a training's time that goes by waiting for them.
func dataRows(lighter string, command func(binary string, short, long int, args ...string) *program, torch string, config func(name string) string) []*row {
	loader := "" // reads batches and does nothing else, a program of its own
	if lighter != "" {
		loader = filepath.Join(filepath.Dir(lighter), "loader")
	}
	// PyTorch's tries itself which number of workers is best.
	best := func(what, epochs string) *program {
		p := command(torch, 0, 0, "loader.py", what, epochs)
		if p != nil {
			p.read = perBatch
		}
		return p
	}
	wait := command(lighter, 0, 0, "fit", config("cnn.yaml"), config("wait.yaml"), "trainer::max_epochs=2")
	if wait != nil {
		wait.read = waiting
	}
	return []*row{
		{name: "loader: CIFAR images, augmented", unit: "ms/batch", scale: 1e3, stepsPerEpoch: 20, threads: 1, leastOfEager: 5, programs: [sides]*program{
			command(loader, 1, 41, config("cifar.yaml"), "%d"), nil, best("cifar", "3"), nil}},
		{name: "loader: tensors in memory", unit: "us/batch", scale: 1e6, stepsPerEpoch: 100, threads: 1, leastOfEager: 20, programs: [sides]*program{
			command(loader, 1, 401, config("tensors.yaml"), "%d"), nil, best("tensors", "10"), nil}},
		{name: "CNN on CIFAR images: waiting for data", unit: "% of the epochs", scale: 1, threads: 2, most: 2, programs: [sides]*program{wait, nil, nil, nil}},
	}
}

var seconds = regexp.MustCompile(`([0-9.e-]+) s/batch`)

// perBatch is what bench/peer/loader.py prints.
func perBatch(output string) (float64, error) {
	m := seconds.FindStringSubmatch(output)
	if m == nil {
		return 0, errors.New("loader.py printed no time")
	}
	return strconv.ParseFloat(m[1], 64)
}

var profiled = regexp.MustCompile(`\|\s+(\S+)\s+\|\s+[0-9.e+-]+\s+\|\s+\d+\s+\|\s+([0-9.e+-]+)\s+\|`)

// waiting is the part of the training epochs' time, in percent, that the simple profiler's report puts down to the next batch.
func waiting(output string) (float64, error) {
	took := map[string]float64{}
	for _, m := range profiled.FindAllStringSubmatch(output, -1) {
		took[m[1]], _ = strconv.ParseFloat(m[2], 64)
	}
	next, epochs := took["[_TrainingEpochLoop].train_dataloader_next"], took["run_training_epoch"]
	if next == 0 || epochs == 0 {
		return 0, errors.New("the profiler's report has no row for the next batch")
	}
	return 100 * next / epochs, nil
}
