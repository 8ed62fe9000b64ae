package scheduler

// RangeLR is the learning rate of a step of PyTorch Lightning's range test, which goes from low to high in a number of steps, in
// equal differences or in equal ratios. The first step has low, the second already the second part after it.
func RangeLR(linear bool, low, high float64, step, steps int) float64 {
	part := float64(step+1) / float64(steps)
	switch {
	case step == 0:
		return low
	case linear:
		return low + float64(part*(high-low))
	}
	ratio, _ := pow(high/low, part) // fails for negative bases only
	return low * ratio
}
