package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// row is one thing measured of up to four programs.
type row struct {
	name, unit    string
	scale         float64 // from seconds to unit
	threads       int     // OMP_NUM_THREADS
	stepsPerEpoch int
	fails         bool // the programs must exit with an error
	programs      [sides]*program
	reference     *row // whose times of PyTorch and Python's Lighter stand for this row's

	// Aims; zero is none.
	most, mostOfBare, leastOfEager, leastOfPeer, mostMB float64

	wall, cpu, megabytes [sides][]float64 // one of each round
}

// aims states each aim of the row and whether the medians reach it.
func (r *row) aims(reference *row) string {
	wall := r.wall[ours]
	return strings.Join(slices.DeleteFunc([]string{
		aimText(wall, "<=", r.most, ""),
		aimText(ratios(wall, r.wall[bare]), "<=", r.mostOfBare, "x bare"),
		aimText(ratios(reference.wall[eager], wall), ">=", r.leastOfEager, "x PyTorch's"),
		aimText(ratios(reference.wall[python], wall), ">=", r.leastOfPeer, "x Python's"),
	}, func(s string) bool { return s == "" }), ", ")
}

func aimText(values []float64, relation string, aim float64, of string) string {
	if aim == 0 || len(values) == 0 {
		return ""
	}
	reached := "ok"
	if m := median(values); m > aim && relation == "<=" || m < aim && relation == ">=" {
		reached = "MISSED"
	}
	return fmt.Sprintf("%s %g%s: %s", relation, aim, of, reached)
}

// summary is the median with the least and the most in brackets, in three digits or more.
func summary(values []float64) string {
	if len(values) == 0 {
		return "-"
	}
	digits := 0
	if m := median(values); m > 0 {
		digits = max(0, 2-int(math.Floor(math.Log10(m))))
	}
	return fmt.Sprintf("%.*f (%.*f-%.*f)", digits, median(values), digits, slices.Min(values), digits, slices.Max(values))
}

func median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// ratios divides round by round; nil when a side was left out.
func ratios(a, b []float64) []float64 {
	if len(a) == 0 || len(b) == 0 {
		return nil
	}
	out := make([]float64, len(a))
	for i := range a {
		out[i] = a[i] / b[i]
	}
	return out
}
