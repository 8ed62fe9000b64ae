package report

import "math"

// point is a value at a step.
type point struct {
	x int64
	y float64
}

// series are the values of one name, by ascending step. When there are too many, two points stand for width values that
// follow each other: the least and the greatest of them, so that no peak is lost.
type series struct {
	name   string
	width  int
	points []point
	open   []point // of the values that make the next two points: at most the least and the greatest
	count  int     // values in open
	last   point
}

// add takes a value in. A step that is not greater than those before replaces all from it on: a resumed run repeats steps.
func (s *series) add(p point, limit int) {
	if n := len(s.points) + s.count; n > 0 && p.x <= s.last.x {
		s.cut(p.x)
	}
	s.last = p
	if s.width <= 1 {
		s.points = append(s.points, p)
	} else {
		s.open = extremes(append(s.open, p))
		if s.count++; s.count >= s.width {
			s.close()
		}
	}
	for len(s.points) > max(4, limit) {
		s.halve()
	}
}

// close ends the group of values under way.
func (s *series) close() {
	s.points = append(s.points, s.open...)
	s.open, s.count = s.open[:0], 0
}

// cut drops the points from step x on.
func (s *series) cut(x int64) {
	s.close()
	n := len(s.points)
	for n > 0 && s.points[n-1].x >= x {
		n--
	}
	s.points = s.points[:n]
	if n > 0 {
		s.last = s.points[n-1]
	}
}

// halve lets two points stand for twice as many values, of single ones four.
func (s *series) halve() {
	s.points = thinned(s.points)
	s.width = max(4, 2*s.width)
}

// thinned keeps two of four points, in place.
func thinned(points []point) []point {
	kept := points[:0]
	for from := 0; from < len(points); from += 4 {
		kept = append(kept, extremes(points[from:min(from+4, len(points))])...)
	}
	return kept
}

// extremes are the least and the greatest of some points, in their order and in place; NaN is neither while there is another.
func extremes(points []point) []point {
	if len(points) <= 2 {
		return points
	}
	least, greatest := 0, 0
	for i, p := range points {
		if p.y < points[least].y || math.IsNaN(points[least].y) {
			least = i
		}
		if p.y >= points[greatest].y || math.IsNaN(points[greatest].y) {
			greatest = i
		}
	}
	if least == greatest { // only when one point is a number
		least = 0
		if greatest == 0 {
			greatest = len(points) - 1
		}
	}
	points[0], points[1] = points[min(least, greatest)], points[max(least, greatest)]
	return points[:2]
}

// drawn are at most about limit points to draw, the newest value among them.
func (s *series) drawn(limit int) []point {
	points := append(append([]point{}, s.points...), s.open...)
	for len(points) > max(4, limit) {
		points = thinned(points)
	}
	if n := len(points); n == 0 || points[n-1].x < s.last.x {
		points = append(points, s.last)
	}
	return points
}

// bounds are the least and the greatest value, the first of equals; NaN when there is none.
func (s *series) bounds() (least, greatest point) {
	least.y, greatest.y = math.NaN(), math.NaN()
	visit := func(p point) {
		if p.y < least.y || math.IsNaN(least.y) {
			least = p
		}
		if p.y > greatest.y || math.IsNaN(greatest.y) {
			greatest = p
		}
	}
	for _, p := range s.points {
		visit(p)
	}
	for _, p := range s.open {
		visit(p)
	}
	return least, greatest
}
