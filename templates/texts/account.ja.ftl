## The member's own account

account-title = アカウント
account-name = 氏名(カタカナ)
account-category = 区分
account-insurer = 健康保険組合
account-unset = 未登録
account-logout = ログアウト
account-back = アカウントに戻る
account-current-password = 現在のパスワード
account-current-password-hint = ご本人の操作であることを確認します。
account-password-error-current = 現在のパスワードが正しくありません。
account-notice-password = パスワードを変更しました。ほかの端末とアプリのログインはすべて終了しました。
account-notice-deletion = 退会の申請を取り消しました。

account-part-profile = 登録内容
account-part-security = ログインとセキュリティ
account-part-apps = アプリと配信
account-part-help = お困りのとき
account-link-profile = 登録内容の確認・表示言語の変更
account-link-password = パスワードの変更
account-link-email = メールアドレスの変更
account-link-sessions = ログイン中の端末
account-link-history = ログイン履歴
account-link-apps = 利用を許可しているアプリ
account-link-preferences = 配信設定
account-link-report = 身に覚えのない登録・ログイン
account-link-deletion = 退会の申請

account-profile-title = 登録内容
account-profile-office = 氏名・区分・資格の内容に誤りがある場合は、事務局へお問い合わせください。
account-date = { $year }年{ $month }月{ $day }日
account-valid-from = 資格取得日
account-valid-until = 資格の最終日
account-valid-open = 定めなし
account-verified = 確認済み
account-language = メールと画面の言語
account-language-ja = 日本語
account-language-en = English
account-language-save = 言語を保存する
account-notice-language = メールと画面の言語を変更しました。

account-password-title = パスワードの変更
account-password-lead = 変更すると、ほかの端末とアプリのログインはすべて終了します。この画面はそのままお使いいただけます。
account-password-new = 新しいパスワード
account-password-new-hint = { $min }文字以上。文字の種類は自由です。生年月日やログインIDは使えません。
account-password-save = パスワードを変更する
account-password-error-new-empty = 新しいパスワードを入力してください。
account-password-error-same = 現在のパスワードと同じです。別のものにしてください。

account-email-title = メールアドレスの変更
account-email-lead = 新しいメールアドレスに確認のメールを送ります。メールのURLを開いてパスワードを入力すると、変更が完了します。
account-email-now = 現在のメールアドレス
account-email-new = 新しいメールアドレス
account-email-login-id = メールアドレスはログインIDです。変更すると、次回からは新しいメールアドレスでログインします。
account-email-send = 確認のメールを送信する
account-email-pending = { $email } に確認のメールを送信しました。{ $deadline }までに、メールのURLを開いて変更を完了してください。完了するまで、メールアドレスは変わりません。
account-email-again = もう一度送信すると、前のメールのURLは使えなくなります。
account-email-error-same = 現在のメールアドレスと同じです。
account-email-error-spent = 確認のメールの送信回数が上限に達しました。24時間ほどたってから、もう一度お試しください。

account-email-link-title = メールアドレスの変更を完了する
account-email-link-lead = 現在のパスワードを入力して、メールアドレスの変更を完了してください。
account-email-link-complete = 変更を完了する
account-email-link-not-you = お心当たりのない場合は、何も入力せずにこの画面を閉じてください。メールアドレスは変わりません。
account-email-done-title = メールアドレスを変更しました
account-email-done-lead = 新しいメールアドレスは { $email } です。前のメールアドレスにもお知らせを送りました。
account-email-done-login-id = 次回からは、新しいメールアドレスがログインIDになります。
account-email-void-title = このURLは使えません
account-email-void-lead = 有効期限が過ぎたか、すでに使われたか、新しいURLに替わっています。変更がまだの場合は、アカウントの「メールアドレスの変更」からもう一度お手続きください。
account-email-to-account = アカウントを開く

account-preferences-title = 配信設定
account-preferences-lead = 配信を希望する情報にチェックを入れてください。チェックを外すと、配信を停止します。
account-preferences-save = 保存する
account-notice-preferences = 配信設定を保存しました。

account-sessions-title = ログイン中の端末
account-sessions-lead = 心当たりのない端末があれば、ログインを終了し、パスワードを変更してください。
account-sessions-present = この端末
account-sessions-device = { $system }・{ $browser }
account-sessions-unknown = 不明な端末
account-sessions-signed-in = ログイン: { $at }
account-sessions-seen = 最後の利用: { $at }
account-sessions-end = この端末のログインを終了する
account-sessions-others = ほかの端末をすべて終了する
account-sessions-others-text = この端末以外のログインをすべて終了します。アプリも、もう一度ログインするまで使えなくなります。
account-notice-session-ended = 端末のログインを終了しました。
account-notice-signed-out-elsewhere = ほかの端末とアプリのログインをすべて終了しました。

account-apps-title = 利用を許可しているアプリ
account-apps-lead = 許可を取り消すと、そのアプリはあなたの情報をすぐに受け取れなくなります。
account-apps-none = 利用を許可しているアプリはありません。
account-apps-since = 許可した日時: { $at }
account-apps-withdraw = 「{ $client }」の許可を取り消す
account-notice-withdrawn = 許可を取り消しました。

account-history-title = ログイン履歴
account-history-lead = 90日以内のログインと、セキュリティに関する操作です。身に覚えのないものがあれば、「身に覚えのない登録・ログイン」からお知らせください。
account-history-none = 表示する履歴はありません。
account-history-older = 以前の履歴を見る
account-history-newest = 最新の履歴に戻る
account-history-app = アプリ: { $client }
account-event-signed_in = ログインしました
account-event-sign_in_failed = ログインに失敗しました
account-event-signed_out = ログアウトしました
account-event-activated = 初回登録が完了しました
account-event-password_wrong = 現在のパスワードの入力を誤りました
account-event-password_changed = パスワードを変更しました
account-event-email_changed = メールアドレスを変更しました
account-event-session_ended = 端末のログインを終了しました
account-event-signed_out_elsewhere = ほかの端末をすべて終了しました
account-event-consent_withdrawn = アプリの許可を取り消しました
account-event-reported = 身に覚えのない登録・ログインを知らせました
account-event-documents_accepted = 新しい文書に同意しました
account-event-login_id_changed = 新しいログインIDに切り替えました
account-event-password_replaced = 「パスワードをお忘れの方」からパスワードを再設定しました
account-event-login_id_shown = 「ログインIDをお忘れの方」からログインIDを表示しました

account-report-title = 身に覚えのない登録・ログイン
account-report-lead = ご自身の登録やログインに心当たりがないときは、アカウントの利用を停止できます。
account-report-what = 停止すると
account-report-what-sessions = この端末を含むすべてのログインと、アプリの利用がすぐに終了します。
account-report-what-sign-in = 停止している間は、どなたもログインできません。
account-report-what-office = 事務局が内容を確認し、利用の再開をご案内します。
account-report-lighter = パスワードを知られたかもしれないだけのときは、パスワードの変更で足ります。
account-report-send = 利用を停止して知らせる
account-reported-title = アカウントの利用を停止しました
account-reported-lead = すべてのログインを終了しました。どなたもこのアカウントにログインできません。
account-reported-next = 再開には、事務局での確認が必要です。お手数ですが、下記の事務局へご連絡ください。

account-deletion-title = 退会の申請
account-deletion-lead = アカウントの削除を事務局に申請します。すぐには削除されません。事務局が確認のうえ手続きし、結果をご連絡します。
account-deletion-keep = 健康保険の資格は、この申請では変わりません。法令で保存が定められた記録は、期間が終わるまで保存されます。
account-deletion-send = 退会を申請する
account-deletion-with-office = 申請は事務局で受け付けています({ $at })。事務局からの連絡をお待ちください。それまではこれまでどおりご利用いただけます。
account-deletion-withdraw = 申請を取り消す

## Mails about the account

mail-account-unexpected = この変更に身に覚えのない場合は、すぐに下記までご連絡ください。ログインできる場合は、アカウントの画面の「身に覚えのない登録・ログイン」から利用を停止できます。
mail-email-subject = 【{ $insurer }】メールアドレスの変更のご確認({ $life }以内にお手続きください)
mail-email-intro = { $insurer }の健康ポータル「KENPOS」で、このメールアドレスへの変更を受け付けました。まだ変更は完了していません。
mail-email-how = 次のURLを開き、現在のパスワードを入力して、変更を完了してください。
mail-email-button = 変更を完了する
mail-email-unexpected = お心当たりのない場合は破棄してください。パスワードを入力しなければ、何も変わりません。
mail-email-correction-subject = 【{ $insurer }】メールアドレスのご確認({ $life }以内にお手続きください)
mail-email-correction-intro = { $insurer }の事務局で、健康ポータル「KENPOS」のメールアドレスをこのアドレスに変更する手続きを受け付けました。まだ変更は完了していません。
mail-email-correcting-subject = 【{ $insurer }】メールアドレスの変更を受け付けました
mail-email-correcting-intro = { $insurer }の事務局で、健康ポータル「KENPOS」のメールアドレスを変更する手続きを受け付け、新しいメールアドレスに確認のメールを送りました。新しいメールアドレスでの確認が済むまで、変更は完了しません。
mail-frozen-office-intro = { $insurer }の事務局が、健康ポータル「KENPOS」のアカウントの利用を停止しました。すべてのログインは終了しています。
mail-email-in-use-subject = 【{ $insurer }】ご入力のメールアドレスについて
mail-email-in-use-intro = { $insurer }の健康ポータル「KENPOS」で、メールアドレスの変更先としてこのメールアドレスが入力されました。このメールアドレスは別のアカウントに登録されているため、変更は行われません。
mail-email-in-use-own = ご本人がお手続きされた場合は、別のメールアドレスをお使いください。
mail-email-in-use-unexpected = お心当たりのない場合は破棄してください。あなたの登録内容は変わっていません。
mail-email-changed-subject = 【{ $insurer }】メールアドレスを変更しました
mail-email-changed-intro = { $insurer }の健康ポータル「KENPOS」に登録されているメールアドレスが変更されました。今後のお知らせは、新しいメールアドレスに送られます。
mail-password-changed-subject = 【{ $insurer }】パスワードを変更しました
mail-password-changed-intro = { $insurer }の健康ポータル「KENPOS」のパスワードが変更されました。ほかの端末とアプリのログインはすべて終了しました。
mail-frozen-subject = 【{ $insurer }】アカウントの利用を停止しました
mail-frozen-intro = 「身に覚えのない登録・ログイン」のお知らせを受け付け、{ $insurer }の健康ポータル「KENPOS」のアカウントの利用を停止しました。すべてのログインは終了しています。
mail-frozen-next = 利用を再開するには、下記の事務局での確認が必要です。お手数ですがご連絡ください。
mail-deletion-subject = 【{ $insurer }】退会の申請を受け付けました
mail-deletion-intro = { $insurer }の健康ポータル「KENPOS」の退会の申請を受け付けました。事務局が確認のうえ、結果をご連絡します。申請はアカウントの画面から取り消せます。
mail-office-facts =
    会員番号(KENPOS内部): { $member }
    受付日時: { $at }
mail-office-report-subject = 【KENPOS】要対応: 身に覚えのない登録・ログインの申し出
mail-office-report-intro = 会員から「身に覚えのない登録・ログイン」の申し出があり、アカウントの利用を停止しました。
mail-office-report-next = 会員の履歴を確認し、ご本人と連絡を取ったうえで、登録の初期化または利用の再開を行ってください。
mail-office-deletion-subject = 【KENPOS】退会の申請
mail-office-deletion-intro = 会員から退会(アカウントの削除)の申請がありました。自動では削除されません。
mail-office-deletion-next = 内容を確認のうえ手続きし、結果を会員にご連絡ください。

account-more-title = 任意の情報
account-more-link = ニックネーム・性別・電話番号・住所(任意)
account-more-lead = どの項目も任意です。入力した内容は、あなたが許可したアプリにだけ渡されます。健康保険の手続きには使われません。
account-more-nickname = ニックネーム
account-more-gender = 性別
account-more-gender-none = 登録しない
account-more-gender-female = 女性
account-more-gender-male = 男性
account-more-gender-other = その他
account-more-phone = 電話番号
account-more-phone-hint = 例:03-1234-5678
account-more-postal-code = 郵便番号
account-more-region = 都道府県
account-more-locality = 市区町村
account-more-street = 番地・建物名
account-more-save = 保存する
account-more-error-line = 長すぎるか、使えない文字が含まれています。
account-more-error-gender = 選択肢からお選びください。
account-more-error-phone = 電話番号を、市外局番から入力してください(例:03-1234-5678)。
account-more-error-postal-code = 郵便番号は、7桁の数字で入力してください。
account-notice-more = 入力した内容を保存しました。
