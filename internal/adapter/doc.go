// Package adapter holds Lighter 0.0.x's adapters: what a step takes from a batch, and what it hands to the criterion, the
// metrics and the writers.
package adapter
