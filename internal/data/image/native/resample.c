#include <immintrin.h>
#include <stdlib.h>
#include <string.h>

#include "native.h"

static uint8_t clip(int32_t v, int bits) {
  v >>= bits;
  return v < 0 ? 0 : v > 255 ? 255 : (uint8_t)v;
}

static void columns_plain(const uint8_t *in, int in_width, int rows, int bands, const lr_spans *s, uint8_t *out) {
  for (int y = 0; y < rows; y++, in += (size_t)in_width * bands)
    for (int x = 0; x < s->out; x++) {
      const uint8_t *p = in + (size_t)s->from[x] * bands;
      const int32_t *w = s->weights + (size_t)x * s->most;
      for (int b = 0; b < bands; b++) {
        int32_t sum = 1 << (s->bits - 1);
        for (int j = 0; j < s->count[x]; j++) sum += p[j * bands + b] * w[j];
        *out++ = clip(sum, s->bits);
      }
    }
}

static void rows_plain(const uint8_t *in, int n, const lr_spans *s, int y, int from, uint8_t *out) {
  const int32_t *w = s->weights + (size_t)y * s->most;
  const uint8_t *p = in + (size_t)s->from[y] * n;
  for (int i = from; i < n; i++) {
    int32_t sum = 1 << (s->bits - 1);
    for (int j = 0; j < s->count[y]; j++) sum += p[(size_t)j * n + i] * w[j];
    out[i] = clip(sum, s->bits);
  }
}

int lr_vectors(void) { return __builtin_cpu_supports("avx2"); }

// A vector step of a row takes four pixels of up to four bands, 16 bytes at most.
enum { step = 4, overread = 16 };

// line is one row of pixels of 3 or 4 bands; 16 bytes after it can be read. wide holds each weight four times over.
__attribute__((target("avx2"), always_inline)) static inline void line(const uint8_t *in, int bands, const lr_spans *s, const int32_t *wide, int most, uint8_t *out) {
  const __m128i first = bands == 3 ? _mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, -1, -1, -1, -1, -1, -1, -1, -1) : _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, -1, -1, -1, -1, -1, -1, -1, -1);
  const __m128i second = bands == 3 ? _mm_setr_epi8(6, 7, 8, -1, 9, 10, 11, -1, -1, -1, -1, -1, -1, -1, -1, -1) : _mm_setr_epi8(8, 9, 10, 11, 12, 13, 14, 15, -1, -1, -1, -1, -1, -1, -1, -1);
  const __m128i half = _mm_set1_epi32(1 << (s->bits - 1));
  const __m128i shift = _mm_cvtsi32_si128(s->bits);
  for (int x = 0; x < s->out; x++, wide += most * 4, out += bands) {
    const uint8_t *p = in + (size_t)s->from[x] * bands;
    __m256i a = _mm256_setzero_si256(), b = a;
    for (int j = 0; j < s->count[x]; j += step, p += step * bands) {
      __m128i v = _mm_loadu_si128((const __m128i *)p);
      a = _mm256_add_epi32(a, _mm256_mullo_epi32(_mm256_cvtepu8_epi32(_mm_shuffle_epi8(v, first)), _mm256_loadu_si256((const __m256i *)(wide + j * 4))));
      b = _mm256_add_epi32(b, _mm256_mullo_epi32(_mm256_cvtepu8_epi32(_mm_shuffle_epi8(v, second)), _mm256_loadu_si256((const __m256i *)(wide + j * 4 + 8))));
    }
    a = _mm256_add_epi32(a, b);
    __m128i sum = _mm_add_epi32(half, _mm_add_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1)));
    sum = _mm_sra_epi32(sum, shift);
    sum = _mm_packus_epi16(_mm_packs_epi32(sum, sum), sum);
    uint32_t pixel = (uint32_t)_mm_cvtsi128_si32(sum);
    memcpy(out, &pixel, bands);
  }
}

__attribute__((target("avx2"))) static void line3(const uint8_t *in, const lr_spans *s, const int32_t *wide, int most, uint8_t *out) {
  line(in, 3, s, wide, most, out);
}

__attribute__((target("avx2"))) static void line4(const uint8_t *in, const lr_spans *s, const int32_t *wide, int most, uint8_t *out) {
  line(in, 4, s, wide, most, out);
}

void lr_columns(const uint8_t *in, int in_width, int rows, int bands, const lr_spans *s, uint8_t *out) {
  int most = (s->most + step - 1) / step * step;
  size_t n = (size_t)in_width * bands, reach = n + (size_t)step * bands + overread;
  int32_t *wide = NULL;
  if (lr_vectors() && bands >= 3) wide = calloc((size_t)s->out * most * 4 + (reach + 3) / 4, sizeof *wide);
  if (wide == NULL) {
    columns_plain(in, in_width, rows, bands, s, out);
    return;
  }
  for (int x = 0; x < s->out; x++)
    for (int j = 0; j < s->count[x]; j++)
      for (int k = 0; k < 4; k++) wide[((size_t)x * most + j) * 4 + k] = s->weights[(size_t)x * s->most + j];
  // What a step reads beyond a row is times a weight of zero; beyond the last rows nothing may be read.
  uint8_t *last = (uint8_t *)(wide + (size_t)s->out * most * 4);
  for (int y = 0; y < rows; y++, in += n, out += (size_t)s->out * bands) {
    const uint8_t *from = in;
    if ((size_t)(rows - y) * n < reach) from = memcpy(last, in, n);
    if (bands == 3) line3(from, s, wide, most, out);
    else line4(from, s, wide, most, out);
  }
  free(wide);
}

__attribute__((target("avx2"))) static int rows_vector(const uint8_t *in, int n, const lr_spans *s, int y, uint8_t *out) {
  const int32_t *w = s->weights + (size_t)y * s->most;
  const uint8_t *p = in + (size_t)s->from[y] * n;
  const __m128i shift = _mm_cvtsi32_si128(s->bits);
  // Packing works in halves of a vector: this puts its fours in order.
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  int i = 0;
  for (; i + 32 <= n; i += 32) {
    __m256i sum[4];
    for (int k = 0; k < 4; k++) sum[k] = _mm256_set1_epi32(1 << (s->bits - 1));
    const uint8_t *q = p + i;
    for (int j = 0; j < s->count[y]; j++, q += n) {
      __m256i weight = _mm256_set1_epi32(w[j]);
      for (int k = 0; k < 4; k++)
        sum[k] = _mm256_add_epi32(sum[k], _mm256_mullo_epi32(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(q + 8 * k))), weight));
    }
    for (int k = 0; k < 4; k++) sum[k] = _mm256_sra_epi32(sum[k], shift);
    __m256i v = _mm256_packus_epi16(_mm256_packs_epi32(sum[0], sum[1]), _mm256_packs_epi32(sum[2], sum[3]));
    _mm256_storeu_si256((__m256i *)(out + i), _mm256_permutevar8x32_epi32(v, order));
  }
  return i;
}

void lr_rows(const uint8_t *in, int n, const lr_spans *s, uint8_t *out) {
  int vectors = lr_vectors();
  for (int y = 0; y < s->out; y++, out += n) rows_plain(in, n, s, y, vectors ? rows_vector(in, n, s, y, out) : 0, out);
}
