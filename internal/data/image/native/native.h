#ifndef LIGHTER_NATIVE_H
#define LIGHTER_NATIVE_H
#include <stddef.h>
#include <stdint.h>

enum { LJ_OK = 0, LJ_BROKEN = 1, LJ_TRUNCATED = 2 };

typedef struct {
  int width, height;
  int bands;       // 1, 3 or 4: grey, RGB, CMYK
  int cropped;     // a decoding of a part finds all that a decoding of the whole finds
  size_t left;     // bytes that were not read when the file ended
  char message[200];
} lj_info;

// Reads a JPEG file's head.
int lj_head(const uint8_t *data, size_t size, lj_info *info);

// Decodes h rows of w pixels from (left, top) on to out, without gaps.
int lj_decode(const uint8_t *data, size_t size, int top, int left, int h, int w, uint8_t *out, lj_info *info);

// The weights of a resampling: output sample i is the sum of count[i] inputs from from[i] on, times weights[i*most...],
// shifted by bits.
typedef struct {
  int out, most, bits;
  const int32_t *from, *count, *weights;
} lr_spans;

// Resamples each of the rows of pixels of 1 to 4 bands.
void lr_columns(const uint8_t *in, int in_width, int rows, int bands, const lr_spans *s, uint8_t *out);

// Resamples the columns of rows of n bytes.
void lr_rows(const uint8_t *in, int n, const lr_spans *s, uint8_t *out);

// Whether vector code is used.
int lr_vectors(void);

#endif
