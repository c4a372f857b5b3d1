/** What somebody drops or chooses: files, each with the names of the folders that it is in. */

export interface Found {
  file: File;
  /** From the outermost on. */
  folders: string[];
}

/** Everything that was dropped, folders with all that is below. Call it before the event has ended. */
export function dropped(data: DataTransfer): Promise<Found[]> {
  const entries = [...data.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  return Promise.all(entries.map((entry) => below(entry, []))).then((found) => found.flat());
}

/** What an `<input type="file">` has; one for folders tells paths. */
export function chosen(files: FileList): Found[] {
  return [...files].map((file) => ({ file, folders: file.webkitRelativePath.split("/").slice(0, -1) }));
}

async function below(entry: FileSystemEntry, folders: string[]): Promise<Found[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    return [{ file, folders }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: Found[] = [];
  // Browsers hand out a hundred at a time, and nothing at the end.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return found;
    for (const one of await Promise.all(some.map((one) => below(one, [...folders, entry.name])))) found.push(...one);
  }
}
