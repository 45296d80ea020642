// Uploads without leaving the page: by choosing or dropping files, one after the other, each with its progress. The
// page does all of this by plain forms where scripts do not run.
const form = document.querySelector('#upload');
const chosen = document.querySelector('#files');
const list = document.querySelector('#uploads');
const status = document.querySelector('#status');

/** @param {string} tag @param {string} [text] */
function element(tag, text) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  return made;
}

/** @param {number} code */
function reasonOf(code) {
  if (code === 401) return 'You are signed out.';
  if (code === 403) return 'You may not put it here.';
  if (code === 423) return 'Somebody has locked it.';
  if (code === 507) return 'There is no space left.';
  return code === 0 ? 'The connection broke.' : 'It could not be stored.';
}

/** Sends one file; answers the status, 0 where there was none. @param {File} file @param {boolean} replace @param {(share: number) => void} onProgress */
function send(file, replace, onProgress) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open('PUT', form.dataset.directory + encodeURIComponent(file.name));
    request.setRequestHeader('X-Sallyport-Token', form.dataset.token);
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    if (!replace) request.setRequestHeader('If-None-Match', '*');
    request.upload.onprogress = ({ loaded, total }) => onProgress(total === 0 ? 1 : loaded / total);
    request.onload = () => resolve(request.status);
    request.onerror = () => resolve(0);
    request.send(file);
  });
}

/** @param {File} file */
function lineFor(file) {
  const line = element('li');
  const progress = element('progress');
  progress.max = 1;
  progress.value = 0;
  progress.setAttribute('aria-label', `Upload of ${file.name}`);
  const state = element('span', 'Waiting');
  const again = element('button', 'Replace');
  again.type = 'button';
  again.hidden = true;
  line.append(element('span', file.name), progress, state, again);
  list.append(line);
  list.hidden = false;
  return { progress, state, again };
}

/** @param {File} file @param {ReturnType<typeof lineFor>} line @param {boolean} replace */
async function upload(file, line, replace) {
  const { progress, state, again } = line;
  again.hidden = true;
  state.className = '';
  const code = await send(file, replace, (share) => {
    progress.value = share;
    state.textContent = `${Math.floor(share * 100)} %`;
  });
  if (code >= 200 && code < 300) {
    progress.value = 1;
    state.textContent = 'Done';
    return true;
  }
  state.className = 'wrong';
  state.textContent = code === 412 ? 'It is there already.' : reasonOf(code);
  if (code === 412) {
    again.hidden = false;
    again.onclick = async () => {
      if (await upload(file, line, true)) location.reload();
    };
  }
  return false;
}

let running = Promise.resolve();

/** @param {FileList} files */
function take(files) {
  const replace = form.elements.replace.checked;
  const waiting = [...files].map((file) => ({ file, line: lineFor(file) }));
  running = running.then(async () => {
    let done = 0;
    status.textContent = `Uploading ${waiting.length === 1 ? waiting[0].file.name : `${waiting.length} files`} …`;
    for (const { file, line } of waiting) if (await upload(file, line, replace)) done++;
    status.textContent = `${done} of ${waiting.length} uploaded.`;
    if (done > 0 && done === waiting.length) location.reload();
  });
}

if (form) {
  document.documentElement.classList.add('scripted');
  chosen.required = false;
  chosen.addEventListener('change', () => {
    take(chosen.files);
    chosen.value = '';
  });
  form.addEventListener('submit', (event) => event.preventDefault());
  let depth = 0;
  const mark = () => form.classList.toggle('over', depth > 0);
  document.addEventListener('dragenter', () => {
    depth++;
    mark();
  });
  document.addEventListener('dragleave', () => {
    depth--;
    mark();
  });
  document.addEventListener('dragover', (event) => event.preventDefault());
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    depth = 0;
    mark();
    if (event.dataTransfer && event.dataTransfer.files.length > 0) take(event.dataTransfer.files);
  });
}
