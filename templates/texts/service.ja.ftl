## Texts that handlers choose

date-time = { $year }年{ $month }月{ $day }日({ $weekday ->
        [mon] 月
        [tue] 火
        [wed] 水
        [thu] 木
        [fri] 金
        [sat] 土
       *[sun] 日
    }){ $hour }時{ $minute }分

lifetime-minute = 1分
lifetime-minutes = { $minutes }分
lifetime-hours = { $hours }時間

error-client-missing = ご利用のサービスからの依頼に誤りがあるため、続けられません(client_id がありません)。サービスの提供者にお知らせください。
error-client-unknown = ご利用のサービスからの依頼に誤りがあるため、続けられません(client_id が登録されていません)。サービスの提供者にお知らせください。
error-request-object = ご利用のサービスからの依頼を確認できないため、続けられません(request)。サービスの提供者にお知らせください。
error-request-uri = ご利用のサービスからの依頼の期限が切れているか、すでに使われているため、続けられません(request_uri)。お手数ですが、サービスに戻ってもう一度お試しください。
error-redirect-uri-missing = ご利用のサービスからの依頼に誤りがあるため、続けられません(redirect_uri がありません)。サービスの提供者にお知らせください。
error-redirect-uri-mismatch = ご利用のサービスからの依頼に誤りがあるため、続けられません(redirect_uri が登録されたものと一致しません)。サービスの提供者にお知らせください。
error-registration-title = 初回登録を続けられません
error-registration-ended = すでに登録が済んでいるか、資格の情報が変わったか、最初のパスワードが使えなくなった可能性があります。ログインできない場合は、事務局へお問い合わせください。
error-registration-ended-self = すでに登録が済んでいるか、資格の情報が変わった可能性があります。ログインできない場合は、事務局へお問い合わせください。
error-registration-over = メールのURLの有効期限が過ぎたか、間違ったパスワードの入力が続いたか、別の画面で初回登録がやり直されたか、資格の情報が変わった可能性があります。登録がまだの場合は、お手数ですが最初からやり直してください。すでに完了している場合は、そのままログインできます。

password-error-limited = 短い時間に何度も操作があったため、受付を一時的に止めています。少し時間をおいて、もう一度お試しください。
password-activation-stopped = 不正な利用のおそれがあるため、生年月日だけによる初回登録の受付を一時的に止めています。すでに登録が済んでいる方は、通常どおりログインできます。お急ぎの方は、事務局から初回登録コードをお受け取りください。

sent-error-spent = 再送できる回数の上限に達しました。届かない場合は、メールアドレスをご確認のうえ、事務局へお問い合わせください。

topic-checkup = 健診・人間ドックのお知らせ
topic-programme = 健康づくりのイベントのお知らせ
topic-newsletter = 健康保険組合からの便り
