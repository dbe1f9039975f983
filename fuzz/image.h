/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A world that is built once and begun anew for each input: making an engine and bringing its
 * sessions up costs a hundred times what most inputs do.
 *
 *     if (!image_kept()) {
 *         build(&start);            with image_resize as the allocator
 *         image_keep();
 *     }
 *     image_restore();              every byte that was allocated is as it was kept
 *     world w = start;
 *     ... what w allocates now comes from malloc, where the sanitizer sees each byte and each leak
 *     free(w.engine);               all of it; the blocks of the image stay for the next run
 *
 * No run can see another: whatever a run changed is in the image or freed. One image for a target.
 */
#ifndef FUZZ_IMAGE_H
#define FUZZ_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

/* The resize of the engine's allocator. */
void *image_resize(void *user, void *ptr, size_t size);
bool image_kept(void);
void image_keep(void);
void image_restore(void);
/* The count-th allocation from now on fails, once; 0: none. Restoring forgets it. */
void image_starve(size_t count);

#endif
