## 機器の接続 (RFC 8628)

device-title = 機器の接続
device-lead = テレビやアプリなど、お使いの機器の画面に表示されている9桁の数字を入力してください。
device-warning = 電話・メール・SMSなどで人から伝えられた数字は、入力しないでください。入力すると、あなたの情報が他の人に渡るおそれがあります。
device-code-label = 機器に表示された数字
device-code-hint = 例:123-456-789
device-next = 確認へ進む
device-error-code = 数字が正しくないか、有効期限が切れています。機器の画面をもう一度ご確認ください。
device-confirm-title = この機器に許可しますか
device-confirm-lead = 機器の「{ $client }」が、次の情報を使うことの許可を求めています。
device-confirm-compare = 機器の画面に、これと同じ数字が表示されていますか
device-confirm-warning = 手元の機器に同じ数字が表示されていないときは、「許可しない」を押してください。だれかが、あなたの情報を得ようとしているおそれがあります。
device-allow = 許可して接続する
device-allowed-title = 機器に許可しました
device-allowed-lead = 機器の画面にお戻りください。まもなく続きが始まります。
device-denied-title = 許可しませんでした
device-denied-lead = 機器には何も渡していません。この画面は閉じてかまいません。
device-apps = 許可したサービスを確認する
error-device-ended = この機器の接続は、すでに終わったか、有効期限が切れたか、別の画面で数字が入力されました。機器の数字をもう一度入力してください。
error-device-insurer = この機器のサービスは、ほかの健康保険組合の加入者向けのため、接続できません。
